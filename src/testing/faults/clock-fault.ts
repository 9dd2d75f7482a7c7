/** A clock that goes too fast or too slow for a while, or is set to another time. */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface ClockFault {
  readonly kind: 'clock';
  readonly target: FaultTarget;
  /** Microseconds gained in each second, at most 500 either way, which is what leases allow for. */
  readonly driftPpm: number;
  /** Milliseconds by which its wall clock is set forward, or back if negative. */
  readonly stepMs: number;
  /** Virtual milliseconds after which it drifts no more. */
  readonly forMs: number;
}

/** @since 0.1.0 */
export const clockFault: FaultType<ClockFault> = {
  kind: 'clock',
  draw: (random, members) => ({
    kind: 'clock',
    target: drawTarget(random, members),
    driftPpm: randomInt(random, 1_001) - 500,
    stepMs: randomInt(random, 2) * (randomInt(random, 7_200_000) - 3_600_000),
    forMs: 1_000 + randomInt(random, 20_000),
  }),
  inject({ target, driftPpm, stepMs, forMs }, { cluster, resolve, until }) {
    const name = resolve(target);
    if (name === undefined) return;
    const { quartz } = cluster.machine(name);
    quartz.driftPpm = driftPpm;
    quartz.stepWall(stepMs);
    until(forMs, () => {
      quartz.driftPpm = 0;
    });
  },
};
