/** How a snapshot file is refused. */
import { type KontikiErrorOf, kontikiError } from '../../base/errors.js';

/**
 * The error for a file that is not what was written.
 *
 * @param file - path of the file
 * @param offset - where the first damaged part begins, in bytes
 * @param what - completes "is damaged at byte N: ..."
 * @since 0.1.0
 */
export function snapshotCorrupt(
  file: string,
  offset: number,
  what: string,
): KontikiErrorOf<'SNAPSHOT_CORRUPT'> {
  const message =
    `snapshot ${file} is damaged at byte ${offset}: ${what}. Nothing of it was used; remove the ` +
    'file, another snapshot can be made or fetched';
  return kontikiError('SNAPSHOT_CORRUPT', message, { file, offset });
}
