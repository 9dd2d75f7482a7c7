/** Which keys are attached to a lease, as of now. */
import type { BinaryString } from '../base/bytes.js';
import { attachmentRange, keyOfAttachment } from './lease-record.js';
import type { Query } from './query.js';

/**
 * Starts a read of a lease's keys, in key order.
 *
 * @param id - any lease id; none of a lease that does not exist
 * @throws {KontikiError} from the query: STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function startLeaseKeysQuery(id: bigint): Query<readonly BinaryString[]> {
  return {
    done: false,
    plan: { keys: [], ranges: [attachmentRange(id)] },
    next: ({ ranges }) => {
      const records = ranges[0] ?? [];
      return { done: true, result: records.map(([key, bytes]) => keyOfAttachment(key, bytes)) };
    },
  };
}
