/** Verifies both ends of a file of chunks: what it holds, and that it is as long as it says. */
import type { FileSystem, StorageFile } from '../file-system.js';
import { snapshotCorrupt } from './damage.js';
import { decodeTrailer, frameHeadBytes, type ReadTrailer, trailerBytes } from './frame.js';
import {
  decodeFramedHeader,
  type FramedHeader,
  type FramedKind,
  headerBytesMax,
} from './framed-kind.js';
import { type ReadHeader, snapshotKind } from './header.js';
import { snapshotName } from './name.js';

/** Both ends of a file. @since 0.1.0 */
export interface FramedEnds<H extends FramedHeader> {
  readonly header: H;
  readonly trailer: ReadTrailer;
  /** Where the trailer begins. */
  readonly trailerAt: number;
}

/**
 * Reads header and trailer; takes the same time whatever is between.
 *
 * @param fs - where the file is
 * @param path - for the error
 * @param file - open
 * @param kind - what it must be
 * @throws {KontikiError} as `kind.damaged` says; FORMAT_UNSUPPORTED, STORAGE_IO
 * @since 0.1.0
 */
export async function readEnds<H extends FramedHeader>(
  fs: FileSystem,
  path: string,
  file: StorageFile,
  kind: FramedKind<H>,
): Promise<FramedEnds<H>> {
  const size = await file.size();
  const header = decodeFramedHeader(fs.crc32, kind, path, await file.read(0, headerBytesMax));
  const trailerAt = size - trailerBytes;
  if (trailerAt < header.size) throw kind.damaged(path, size, 'it is cut');
  const bytes = await file.read(trailerAt, trailerBytes);
  const trailer = decodeTrailer(fs.crc32, bytes, header.crc);
  if (trailer === undefined) {
    throw kind.damaged(path, trailerAt, 'it is cut, or its last bytes are wrong');
  }
  const expected = header.size + trailer.size + frameHeadBytes * trailer.chunks;
  if (expected !== trailerAt) {
    throw kind.damaged(path, trailerAt, `${expected} bytes are expected before its end`);
  }
  return { header, trailer, trailerAt };
}

/**
 * As {@link readEnds}, of a snapshot in a folder of snapshots: it must be the one that its name says.
 *
 * @param fs - where the folder is
 * @param dir - the folder
 * @param name - of the file
 * @param groupId - Raft group that it must be of; default 0
 * @throws {KontikiError} SNAPSHOT_CORRUPT, FORMAT_UNSUPPORTED, STORAGE_IO
 * @since 0.1.0
 */
export async function inspectNamed(
  fs: FileSystem,
  dir: string,
  name: string,
  groupId = 0,
): Promise<FramedEnds<ReadHeader>> {
  const path = `${dir}/${name}`;
  const file = await fs.open(path, 'read');
  try {
    const ends = await readEnds(fs, path, file, snapshotKind);
    const { header } = ends;
    if (snapshotName(header.last) === name && header.groupId === groupId) return ends;
    throw snapshotCorrupt(path, 0, 'its header is that of another snapshot');
  } finally {
    await file.close();
  }
}
