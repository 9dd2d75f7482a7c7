// Goal: whatever the timings, a follower's pledge outlasts the leader's lease, with clocks apart.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leaseMsOf, pledgeTicksOf } from '../../src/node/lease.js';

const timings = fc.record({
  tickMs: fc.integer({ min: 1, max: 10_000 }),
  electionTicks: fc.integer({ min: 2, max: 100 }),
});

describe('lease', () => {
  test('any leader, any follower, clocks 5 % apart each way -> the pledge lasts longer', () => {
    fc.assert(
      fc.property(timings, timings, (leader, follower) => {
        const leaseMs = leaseMsOf(leader.tickMs, leader.electionTicks);
        const ticks = pledgeTicksOf(leaseMs, follower.tickMs);
        // A slow leader's clock shows less time than passes, a fast follower ticks too soon; the
        // first tick comes at once, another one early.
        const leaseLasts = leaseMs * 1.05;
        const pledgeLasts = (ticks - 2) * follower.tickMs * 0.955;
        expect(pledgeLasts).toBeGreaterThanOrEqual(leaseLasts);
      }),
    );
  });

  test('default timings -> 720 ms, stood by for 10 ticks: no longer than an election timeout', () => {
    expect(leaseMsOf(100, 10)).toBe(720);
    expect(pledgeTicksOf(720, 100)).toBe(10);
  });

  test('an election timeout of two ticks -> no room for a lease', () => {
    expect(leaseMsOf(100, 2)).toBe(0);
  });
});
