/** Verifies a whole snapshot file, for tools that look at a data directory nobody has open. */
import { type RunningHash, Sha256 } from '../../base/sha256.js';
import type { FileSystem } from '../file-system.js';
import type { SnapshotMeta } from '../snapshot-store.js';
import { type ReadHeader, snapshotKind } from './header.js';
import type { FramedEnds } from './inspect.js';
import { FramedFileReader } from './reader.js';

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
  const reader = new FramedFileReader({ fs, path, kind: snapshotKind, hash });
  for (;;) {
    const { done } = await reader.next();
    if (done === true) break;
  }
  const { header, trailer } = reader.ends as FramedEnds<ReadHeader>;
  return { last: header.last, configuration: header.configuration, size: trailer.size };
}
