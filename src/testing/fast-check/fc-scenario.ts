/**
 * Scenarios as fast-check draws them, so that it makes a failing one smaller by its own means: fewer
 * faults first, then a shorter run, fewer members, clients and keys.
 */
import fc from 'fast-check';
import { Prng } from '../../base/prng.js';
import { drawFault, type FaultKind, faultKinds } from '../faults/fault.js';
import type { Scenario } from '../run/scenario.js';

/** @since 0.1.0 */
export interface FcScenarioOptions {
  /** Virtual milliseconds with faults, at most; default 10,000. */
  readonly durationMsMax?: number | undefined;
  /** Faults, at most; default 12. */
  readonly faultsMax?: number | undefined;
  /** Kinds of faults; default all, which suits stores: take `machineFaultKinds` for a machine. */
  readonly faults?: readonly FaultKind[] | undefined;
  /** Members; default 3, 1 or 5. */
  readonly members?: number | undefined;
}

const durationMsMin = 500;

/**
 * An arbitrary of scenarios, for `simulate`.
 *
 * @param options - see {@link FcScenarioOptions}
 * @since 0.1.0
 * @example
 * await fc.assert(
 *   fc.asyncProperty(fcScenario({ faults: machineFaultKinds }), async (scenario) => {
 *     (await simulate({ scenario, machine })).assert();
 *   }),
 *   { numRuns: 20 },
 * );
 */
export function fcScenario(options: FcScenarioOptions = {}): fc.Arbitrary<Scenario> {
  const { durationMsMax = 10_000, faultsMax = 12, faults = faultKinds, members } = options;
  const fault = fc.record({
    kind: fc.constantFrom(...faults),
    // What a fault is like is drawn as in a swarm: it stays as it is, or goes.
    draw: fc.noShrink(fc.nat()),
    atShare: fc.nat({ max: 999 }),
  });
  return fc
    .record({
      // What comes first is made smaller first.
      drawn: fc.array(fault, { maxLength: faultsMax }),
      seed: fc.noShrink(fc.nat()),
      members: members === undefined ? fc.constantFrom(3, 1, 5) : fc.constant(members),
      durationMs: fc.integer({ min: durationMsMin, max: Math.max(durationMsMin, durationMsMax) }),
      clients: fc.integer({ min: 1, max: 6 }),
      pauseMs: fc.constantFrom(200, 60, 20),
      keys: fc.constantFrom(1, 3, 10, 40),
      tickMs: fc.constantFrom(100, 50, 10),
    })
    .map(({ drawn, ...scenario }) => {
      const names = Array.from({ length: scenario.members }, (_, at) => `n${at + 1}`);
      const scheduled = drawn.map(({ kind, draw, atShare }) => ({
        atMs: Math.floor((atShare / 1_000) * scenario.durationMs),
        fault: drawFault(kind, new Prng(draw), names),
      }));
      return { ...scenario, faults: scheduled.sort((a, b) => a.atMs - b.atMs) };
    });
}
