/** A disk whose operations take very long for a while, as one that remaps sectors does. */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface SlowDiskFault {
  readonly kind: 'slow-disk';
  readonly target: FaultTarget;
  /** Virtual milliseconds by which each operation is slower. */
  readonly byMs: number;
  /** Virtual milliseconds. */
  readonly forMs: number;
}

/** @since 0.1.0 */
export const slowDiskFault: FaultType<SlowDiskFault> = {
  kind: 'slow-disk',
  draw: (random, members) => ({
    kind: 'slow-disk',
    target: drawTarget(random, members),
    byMs: 1 + randomInt(random, randomInt(random, 2) === 0 ? 30 : 3_000),
    forMs: 200 + randomInt(random, 6_000),
  }),
  inject({ target, byMs, forMs }, { cluster, resolve, until }) {
    const name = resolve(target);
    if (name === undefined) return;
    const { disk } = cluster.machine(name);
    disk.slowByUs = byMs * 1_000;
    until(forMs, () => {
      disk.slowByUs = 0;
    });
  },
};
