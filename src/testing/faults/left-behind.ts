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
}

/** @since 0.1.0 */
export const leftBehindFault: FaultType<LeftBehindFault> = {
  kind: 'left-behind',
  draw: (random) => ({ kind: 'left-behind', forMs: 3_000 + randomInt(random, 6_000) }),
  inject({ forMs }, context) {
    partitionFault.inject(
      { kind: 'partition', target: 'follower', direction: 'both', forMs },
      context,
    );
  },
};
