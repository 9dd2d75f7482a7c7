/**
 * A segment's file from nothing to its first group. It is created, filled and synced under a name of
 * its own, ahead of need; it gets its head, and then its place in the log, by a rename. So a segment
 * under its final name is always whole, and a crash leaves at most a file that nobody misses.
 */
import type { FileSystem, StorageFile } from '../file-system.js';
import type { ChainState } from './group-reader.js';
import { encodeHead, type LogHead } from './log-head.js';
import { segmentName } from './segment-header.js';

/** Name of the file that is to become a segment. What it holds means nothing. */
export function preparedName(segment: number): string {
  return `${segmentName(segment)}.tmp`;
}

/** Whether a file was to become a segment. */
export function isPreparedName(name: string): boolean {
  return /^[0-9a-f]{16}\.wal\.tmp$/.test(name);
}

/** How a log writes segments. */
export interface SegmentOptions {
  readonly fs: FileSystem;
  readonly dir: string;
  readonly groupId: number;
  /** Bytes of a segment before the next is started. */
  readonly segmentBytes: number;
  /** Bytes to keep zeroed ahead. */
  readonly preallocateBytes: number;
  /** Syncs the file that a group was written to; default its own `sync`. */
  readonly sync?: ((file: StorageFile) => Promise<void>) | undefined;
}

/** A file that is open for writing; zero from some offset up to `zeroed`. */
export interface ZeroedFile {
  readonly file: StorageFile;
  /** Number of the segment it is, or is to become. */
  readonly segment: number;
  readonly zeroed: number;
}

/** Zeros are written in pieces. */
export const zeros: Uint8Array = new Uint8Array(256 * 1024);

/** Creates the file of a segment to come. */
export async function createPrepared(
  { fs, dir }: SegmentOptions,
  segment: number,
): Promise<StorageFile> {
  const path = `${dir}/${preparedName(segment)}`;
  // Of an attempt that failed.
  await fs.remove(path);
  return fs.open(path, 'create', { urgent: true });
}

/** Makes it as long as the zeros to keep ahead, and syncs it. Closes it when that fails. */
export async function fillPrepared(
  options: SegmentOptions,
  segment: number,
  file: StorageFile,
): Promise<ZeroedFile> {
  const { segmentBytes, preallocateBytes } = options;
  try {
    const zeroed = await fill(file, 0, Math.min(preallocateBytes, segmentBytes));
    await file.sync();
    return { file, segment, zeroed };
  } catch (error) {
    await discardPrepared(options, segment, file);
    throw error;
  }
}

/** Lets go of a file that no segment became of. */
export async function discardPrepared(
  { fs, dir }: SegmentOptions,
  segment: number,
  file: StorageFile,
): Promise<void> {
  await file.close();
  // The next open would do it.
  await fs.remove(`${dir}/${preparedName(segment)}`).catch(() => undefined);
}

/** A segment that has its head. */
export interface BegunSegment extends ZeroedFile {
  /** Where its first group goes. */
  readonly offset: number;
}

/**
 * Makes a prepared file a segment, durable with its head and its name. Closes it when that fails.
 */
export async function beginSegment(
  options: SegmentOptions,
  prepared: ZeroedFile,
  start: { readonly next: ChainState; readonly head: LogHead },
): Promise<BegunSegment> {
  const { fs, dir, groupId } = options;
  const { file, segment, zeroed } = prepared;
  try {
    const header = { segment, sequence: start.next.sequence, chain: start.next.chain };
    const bytes = encodeHead(header, start.head, { crc32: fs.crc32, groupId });
    await file.write(0, [bytes]);
    await file.sync();
    await fs.rename(`${dir}/${preparedName(segment)}`, `${dir}/${segmentName(segment)}`);
    await fs.syncDirectory(dir);
    return { file, segment, offset: bytes.length, zeroed: Math.max(zeroed, bytes.length) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Writes zeros; returns where they end. */
export async function fill(file: StorageFile, from: number, to: number): Promise<number> {
  for (let at = from; at < to; at += zeros.length) {
    await file.write(at, [zeros.subarray(0, Math.min(zeros.length, to - at))]);
  }
  return Math.max(from, to);
}
