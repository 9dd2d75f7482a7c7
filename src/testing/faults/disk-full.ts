/** A disk that is full for a while, but for a little: the member waits, and answers reads. */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface DiskFullFault {
  readonly kind: 'disk-full';
  readonly target: FaultTarget;
  /** Bytes that still fit. */
  readonly leftBytes: number;
  /** Virtual milliseconds. */
  readonly forMs: number;
}

/** @since 0.1.0 */
export const diskFullFault: FaultType<DiskFullFault> = {
  kind: 'disk-full',
  draw: (random, members) => ({
    kind: 'disk-full',
    target: drawTarget(random, members),
    leftBytes: randomInt(random, 100_000),
    forMs: 500 + randomInt(random, 8_000),
  }),
  inject({ target, leftBytes, forMs }, { cluster, resolve, until }) {
    const name = resolve(target);
    if (name === undefined) return;
    const { disk } = cluster.machine(name);
    disk.byteBudget = disk.usedBytes + leftBytes;
    until(forMs, () => {
      disk.byteBudget = Number.POSITIVE_INFINITY;
    });
  },
};
