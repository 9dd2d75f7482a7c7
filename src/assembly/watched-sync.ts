/**
 * The one thing that a member waits for most often: a group of its log becoming durable, timed, and
 * watched by who listens. The write is in it: where a thread of the disk does both at once, nobody
 * else knows when one ended and the other began.
 */

import type { Env } from '../node/env.js';
import type { NodeMeter } from '../node/metrics.js';
import { traced } from '../node/tracing.js';
import type { MemberId } from '../raft/types.js';

/**
 * @param env - of the member
 * @param meter - takes the time of each group that became durable
 * @param memberId - of the member
 * @returns runs what writes and syncs a group
 * @since 0.1.0
 */
export function watchedSync(
  { clock, tracing }: Pick<Env, 'clock' | 'tracing'>,
  meter: NodeMeter,
  memberId: MemberId,
): (persist: () => Promise<void>) => Promise<void> {
  return async (persist) => {
    const beganMs = clock.monotonicMs();
    await traced(tracing?.fsync, persist, { memberId });
    meter.fsyncMs.observe(clock.monotonicMs() - beganMs);
  };
}
