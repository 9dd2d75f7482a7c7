/** The platform's own clock and timers; what they wait is the platform's business, not tested. */
import { describe, expect, test } from 'vitest';
import { systemClock, systemTimers } from '../../src/base/clock.js';

describe('system clock', () => {
  test('monotonic time -> never goes back', () => {
    let last = systemClock.monotonicMs();
    for (let i = 0; i < 1_000; i += 1) {
      const now = systemClock.monotonicMs();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });
});

describe('system timers', () => {
  test.each(['soon', 'after'] as const)('%s -> runs once, not inside the call', async (kind) => {
    let ran = 0;
    await new Promise<void>((resolve) => {
      const callback = () => {
        ran += 1;
        resolve();
      };
      if (kind === 'soon') systemTimers.soon(callback);
      else systemTimers.after(0, callback);
      expect(ran).toBe(0);
    });
    expect(ran).toBe(1);
  });

  test('cancelled, even twice -> never runs; cancelled after it ran -> nothing', async () => {
    const ran: string[] = [];
    const cancelled = [
      systemTimers.soon(() => ran.push('soon')),
      systemTimers.after(0, () => ran.push('after')),
    ];
    for (const timer of [...cancelled, ...cancelled]) timer.cancel();
    const last = await new Promise<{ cancel(): void }>((resolve) => {
      const timer = systemTimers.after(1, () => {
        systemTimers.soon(() => resolve(timer));
      });
    });
    last.cancel();
    expect(ran).toEqual([]);
  });
});
