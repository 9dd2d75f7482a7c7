/** A disk that does not answer for seconds, as one whose controller is reset: all of it, then none. */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';
import { slowDiskFault } from './slow-disk.js';

/** @since 0.1.0 */
export interface StalledDiskFault {
  readonly kind: 'stalled-disk';
  readonly target: FaultTarget;
  /** What lies on it; default the log and all files, but not the engines. */
  readonly holds?: 'log' | 'state' | undefined;
  /** Virtual milliseconds; what is asked for in the end takes as long again. */
  readonly forMs: number;
}

/** @since 0.1.0 */
export const stalledDiskFault: FaultType<StalledDiskFault> = {
  kind: 'stalled-disk',
  draw: (random, members) => ({
    kind: 'stalled-disk',
    target: randomInt(random, 2) === 0 ? 'leader' : drawTarget(random, members),
    holds: randomInt(random, 3) === 0 ? 'state' : 'log',
    forMs: 300 + randomInt(random, 5_000),
  }),
  inject(fault, context) {
    slowDiskFault.inject({ ...fault, kind: 'slow-disk', byMs: fault.forMs }, context);
  },
};
