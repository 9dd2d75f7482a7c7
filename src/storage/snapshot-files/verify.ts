/** Verifies a whole snapshot file, for tools that look at a data directory nobody has open. */
import { type RunningHash, Sha256 } from '../../base/sha256.js';
import type { FileSystem } from '../file-system.js';
import type { SnapshotMeta } from '../snapshot-store.js';
import type { SnapshotEnds } from './inspect.js';
import { SnapshotFileReader } from './reader.js';

/**
 * Reads all of a snapshot file.
 *
 * @param fs - where the file is
 * @param path - of the file
 * @param hash - a SHA-256 of the platform; default portable code
 * @returns what it holds
 * @throws {KontikiError} SNAPSHOT_CORRUPT with file and offset, FORMAT_UNSUPPORTED, STORAGE_IO
 * @since 0.1.0
 */
export async function verifySnapshotFile(
  fs: FileSystem,
  path: string,
  hash: RunningHash = new Sha256(),
): Promise<SnapshotMeta> {
  const reader = new SnapshotFileReader({ fs, path, hash, onOpen: () => () => undefined });
  for (;;) {
    const { done } = await reader.next();
    if (done === true) break;
  }
  const { header, trailer } = reader.ends as SnapshotEnds;
  return { last: header.last, configuration: header.configuration, size: trailer.size };
}
