/**
 * The one thing that a member waits for most often: the sync of its log, timed, and watched by who
 * listens.
 */

import type { Env } from '../node/env.js';
import type { NodeMeter } from '../node/metrics.js';
import { traced } from '../node/tracing.js';
import type { MemberId } from '../raft/types.js';
import type { StorageFile } from '../storage/file-system.js';

/**
 * @param env - of the member
 * @param meter - takes the time of each sync that succeeded
 * @param memberId - of the member
 * @returns syncs a file
 * @since 0.1.0
 */
export function watchedSync(
  { clock, tracing }: Pick<Env, 'clock' | 'tracing'>,
  meter: NodeMeter,
  memberId: MemberId,
): (file: StorageFile) => Promise<void> {
  return async (file) => {
    const beganMs = clock.monotonicMs();
    await traced(tracing?.fsync, () => file.sync(), { memberId });
    meter.fsyncMs.observe(clock.monotonicMs() - beganMs);
  };
}
