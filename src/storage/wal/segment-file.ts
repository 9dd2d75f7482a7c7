/**
 * A segment's file from nothing to its first group. It is created, filled and synced under a name of
 * its own, ahead of need; it gets its head, and then its place in the log, by a rename. So a segment
 * under its final name is always whole, and a crash leaves at most a file that nobody misses.
 */
import type { FileSystem, StorageFile } from '../file-system.js';
import { walCorrupt } from './damage.js';
import { sectorBytes, segmentHeaderBytes } from './format.js';
import { type ChainState, readGroup, readGroupHeader, segmentBytes } from './group-reader.js';
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
  /** Runs what writes and syncs a group, so that it can be timed. */
  readonly watch?: ((persist: () => Promise<void>) => Promise<void>) | undefined;
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
  // Of an attempt that failed, before it had its name or after.
  await fs.remove(path);
  await fs.remove(`${dir}/${segmentName(segment)}`);
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

/** Where a segment that was written before ends. */
export interface SegmentEnd {
  readonly segment: number;
  /** Start of its last group behind the head; 0 when there is none. */
  readonly lastGroup: number;
  readonly end: number;
  /** What the next group goes on from. */
  readonly next: ChainState;
}

/**
 * Opens a segment again, up to a verified end. What is behind it is cut off, and its last group is
 * written once more before the sync: after a failed one the page cache may show as clean what the disk
 * never got (Rebello et al., ATC'20), and nobody may build on that. A crash meanwhile leaves in each
 * sector what was there or the very same bytes; docs/storage.md goes through it.
 */
export async function reopenSegment(
  { fs, dir }: SegmentOptions,
  { segment, lastGroup, end }: Omit<SegmentEnd, 'next'>,
): Promise<ZeroedFile> {
  const file = await fs.open(`${dir}/${segmentName(segment)}`, 'read-write', { urgent: true });
  try {
    const again = await file.read(lastGroup, end - lastGroup);
    await file.truncate(end);
    await file.sync();
    // Growing it makes the size part of the sync, whatever became of the size before.
    const zeroed = await fill(file, end, end + sectorBytes);
    await file.write(lastGroup, [again]);
    await file.sync();
    await fs.syncDirectory(dir);
    return { file, segment, zeroed };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Verifies the last group of a segment, or its head: it may share a page with what a later sync was to
 * bring to the disk and did not. All before it was settled by earlier ones.
 *
 * @throws {KontikiError} WAL_CORRUPT, STORAGE_IO
 */
export async function checkEnd({ fs, dir }: SegmentOptions, at: SegmentEnd): Promise<void> {
  const { segment, lastGroup, end, next } = at;
  const path = `${dir}/${segmentName(segment)}`;
  const start = Math.max(lastGroup, segmentHeaderBytes);
  const bytes = await fs.readFile(path);
  const file = segmentBytes(segment, bytes?.slice(0, end) ?? new Uint8Array(), fs.crc32);
  const header = readGroupHeader(file, start);
  const sequence = next.sequence - 1;
  const before = { sequence, chain: header?.chainBefore ?? 0 };
  const found = header?.end === end ? readGroup(file, start, before) : undefined;
  if (found?.kind === 'group') {
    // What follows a head goes on from before it.
    const { chain } = lastGroup === 0 ? before : found;
    if (chain === next.chain) return;
  }
  const what = `write group ${sequence} is not what was made durable here`;
  throw walCorrupt(path, start, `${what} before a sync that found no space`);
}

/** Writes zeros; returns where they end. */
export async function fill(file: StorageFile, from: number, to: number): Promise<number> {
  for (let at = from; at < to; at += zeros.length) {
    await file.write(at, [zeros.subarray(0, Math.min(zeros.length, to - at))]);
  }
  return Math.max(from, to);
}
