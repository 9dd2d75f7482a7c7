/**
 * A follower that nobody reaches for so long that the others let go of the log it needs: it lives on,
 * with clients and watchers, until a snapshot takes the place of all it holds.
 */
import { randomInt } from '../../base/prng.js';
import type { FaultType } from './fault-type.js';
import { partitionFault } from './partition.js';

/** @since 0.1.0 */
export interface LeftBehindFault {
  readonly kind: 'left-behind';
  /** Virtual milliseconds. */
  readonly forMs: number;
  /** By how many virtual milliseconds its disk is slower when it is back; default 0. */
  readonly slowByMs?: number | undefined;
}

/** How long it stays so, in virtual milliseconds. */
const slowForMs = 3_000;

/** @since 0.1.0 */
export const leftBehindFault: FaultType<LeftBehindFault> = {
  kind: 'left-behind',
  draw: (random) => ({
    kind: 'left-behind',
    forMs: 1_200 + randomInt(random, 7_000),
    slowByMs: randomInt(random, 3) === 0 ? 1 + randomInt(random, 100) : 0,
  }),
  inject({ forMs, slowByMs = 0 }, context) {
    const { cluster, resolve, until } = context;
    const target = resolve('follower');
    if (target === undefined) return;
    partitionFault.inject({ kind: 'partition', target, direction: 'both', forMs }, context);
    if (slowByMs === 0) return;
    const { disk } = cluster.machine(target);
    until(forMs, () => {
      disk.slowByUs = slowByMs * 1_000;
    });
    until(forMs + slowForMs, () => {
      disk.slowByUs = 0;
    });
  },
};
