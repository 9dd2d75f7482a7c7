/** Verifies both ends of a snapshot file: what it holds, and that it is as long as it says. */
import type { FileSystem, StorageFile } from '../file-system.js';
import { snapshotCorrupt } from './damage.js';
import { decodeTrailer, frameHeadBytes, type Trailer, trailerBytes } from './frame.js';
import { decodeHeader, headerReadBytes, type ReadHeader } from './header.js';

/** Both ends of a file. @since 0.1.0 */
export interface SnapshotEnds {
  readonly header: ReadHeader;
  readonly trailer: Trailer;
  /** Where the trailer begins. */
  readonly trailerAt: number;
}

/**
 * Reads header and trailer; takes the same time whatever is between.
 *
 * @param fs - where the file is
 * @param path - for the error
 * @param file - open
 * @throws {KontikiError} SNAPSHOT_CORRUPT, FORMAT_UNSUPPORTED, STORAGE_IO
 * @since 0.1.0
 */
export async function readEnds(
  fs: FileSystem,
  path: string,
  file: StorageFile,
): Promise<SnapshotEnds> {
  const size = await file.size();
  const header = decodeHeader(fs.crc32, path, await file.read(0, headerReadBytes));
  const trailerAt = size - trailerBytes;
  if (trailerAt < header.size) throw snapshotCorrupt(path, size, 'it is cut');
  const bytes = await file.read(trailerAt, trailerBytes);
  const trailer = decodeTrailer(fs.crc32, bytes, header.crc);
  if (trailer === undefined) {
    throw snapshotCorrupt(path, trailerAt, 'it is cut, or its last bytes are wrong');
  }
  const expected = header.size + trailer.size + frameHeadBytes * trailer.chunks;
  if (expected !== trailerAt) {
    throw snapshotCorrupt(path, trailerAt, `${expected} bytes are expected before its end`);
  }
  return { header, trailer, trailerAt };
}

/**
 * As {@link readEnds}, by path.
 *
 * @throws {KontikiError} SNAPSHOT_CORRUPT, FORMAT_UNSUPPORTED, STORAGE_IO
 * @since 0.1.0
 */
export async function inspectSnapshot(fs: FileSystem, path: string): Promise<SnapshotEnds> {
  const file = await fs.open(path, 'read');
  try {
    return await readEnds(fs, path, file);
  } finally {
    await file.close();
  }
}
