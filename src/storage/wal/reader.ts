/**
 * Reads a whole log from the first record to the last, verifies everything there is to verify, and
 * changes nothing. Opening a log starts with it; a check of a stopped member is nothing else.
 *
 * A visitor and no async iterator: what a driver runs must not depend on how an engine schedules
 * generators (DESIGN §4.2). Segments are read whole, one at a time: 64 MiB, for code simple enough to
 * be believed.
 */
import type { FileSystem } from '../file-system.js';
import { walCorrupt, walUnsupported } from './damage.js';
import { segmentHeaderBytes } from './format.js';
import {
  type ChainState,
  type GroupHeader,
  readGroup,
  recordEnd,
  type SegmentBytes,
  segmentBytes,
} from './group-reader.js';
import { LogHistory } from './log-history.js';
import { decodeRecord, type WalRecord } from './record.js';
import { decodeSegmentHeader, segmentName, segmentNumbers } from './segment-header.js';
import { whyNotTorn } from './torn.js';

/**
 * Where a record stands.
 *
 * @since 0.1.0
 */
export interface RecordPlace {
  /** Path of the segment's file. */
  readonly file: string;
  readonly segment: number;
  /** In bytes, in that file. */
  readonly offset: number;
  /** Length in bytes. */
  readonly size: number;
  /** CRC of the record before it, which its own is seeded with. */
  readonly seed: number;
  /** Sequence number of its write group. */
  readonly sequence: number;
}

/**
 * @since 0.1.0
 */
export interface WalProgress {
  readonly segmentsRead: number;
  readonly segments: number;
  /** Bytes of the files read so far, zeros ahead of the writer included. */
  readonly bytesRead: number;
}

/**
 * @since 0.1.0
 */
export interface ReadWalOptions {
  readonly fs: FileSystem;
  /** Folder of the log. */
  readonly dir: string;
  /** Raft group the records must belong to; default 0. */
  readonly groupId?: number | undefined;
  /**
   * Called for each record in order, entries that later ones replace included. Entry data is a view
   * that must be copied to be kept. Optional.
   */
  readonly visit?: ((record: WalRecord, place: RecordPlace) => void) | undefined;
  /** Called after each segment. Optional. */
  readonly onProgress?: ((progress: WalProgress) => void) | undefined;
}

/** Where the log ends. @since 0.1.0 */
export interface WalTail {
  readonly segment: number;
  /** End of the last intact group, or of the segment's header. */
  readonly end: number;
  /** Start of the last intact group of this segment; 0 when it has none. */
  readonly lastGroup: number;
  readonly next: ChainState;
}

/**
 * What a log holds.
 *
 * @since 0.1.0
 */
export interface WalSummary {
  readonly history: LogHistory;
  /** Numbers of the segments. */
  readonly segments: readonly number[];
  /** Absent when there is no segment to write to. */
  readonly tail?: WalTail | undefined;
  /** A last write that never completed, to be cut: part of a group from this offset on. */
  readonly torn?: { readonly file: string; readonly offset: number } | undefined;
  /** A last segment that never was completed, to be removed. */
  readonly unfinished?: string | undefined;
}

/**
 * Verifies a log that nobody writes to.
 *
 * @returns what it holds, and what opening it would cut
 * @throws {KontikiError} WAL_CORRUPT with file and offset; FORMAT_UNSUPPORTED; STORAGE_IO
 * @since 0.1.0
 */
export async function readWal(options: ReadWalOptions): Promise<WalSummary> {
  const segments = segmentNumbers(await options.fs.list(options.dir));
  const reading = new WalReading(options);
  let bytesRead = 0;
  for (const [at, segment] of segments.entries()) {
    const isLast = at === segments.length - 1;
    const path = `${options.dir}/${segmentName(segment)}`;
    if (segment !== at + 1) {
      const missing = `${options.dir}/${segmentName(at + 1)}`;
      throw walCorrupt(missing, 0, 'the segment is missing although a later one exists');
    }
    const bytes = await readWhole(options.fs, path);
    reading.segment(path, segmentBytes(segment, bytes, options.fs.crc32), isLast);
    bytesRead += bytes.length;
    options.onProgress?.({ segmentsRead: at + 1, segments: segments.length, bytesRead });
  }
  return reading.summary(segments);
}

async function readWhole(fs: FileSystem, path: string): Promise<Uint8Array> {
  const file = await fs.open(path, 'read');
  try {
    return await file.read(0, await file.size());
  } finally {
    await file.close();
  }
}

class WalReading {
  readonly #options: ReadWalOptions;
  readonly #history = new LogHistory();
  #next: ChainState = { sequence: 1, chain: 0 };
  #tail: WalTail | undefined;
  #torn: WalSummary['torn'];
  #unfinished: string | undefined;

  constructor(options: ReadWalOptions) {
    this.#options = options;
  }

  summary(segments: readonly number[]): WalSummary {
    return {
      history: this.#history,
      segments,
      tail: this.#tail,
      torn: this.#torn,
      unfinished: this.#unfinished,
    };
  }

  segment(path: string, file: SegmentBytes, isLast: boolean): void {
    if (!this.#header(path, file, isLast)) return;
    let lastGroup = 0;
    let start = segmentHeaderBytes;
    for (;;) {
      const result = readGroup(file, start, this.#next);
      if (result.kind === 'end') break;
      if (result.kind === 'damage') {
        // A segment is synced before the next one is created: only the last can hold a torn write.
        const why = isLast ? whyNotTorn(file, start, result, this.#next) : 'a later segment exists';
        if (why !== undefined) {
          const reason = `${result.reason}, and it is not a torn last write: ${why}`;
          throw walCorrupt(path, result.offset, reason);
        }
        this.#torn = { file: path, offset: start };
        break;
      }
      this.#records(path, file, result.header);
      this.#next = { sequence: this.#next.sequence + 1, chain: result.chain };
      lastGroup = start;
      start = result.header.end;
    }
    this.#tail = { segment: file.segment, end: start, lastGroup, next: this.#next };
  }

  /** Whether there is a segment behind the header. */
  #header(path: string, file: SegmentBytes, isLast: boolean): boolean {
    const expected = { segment: file.segment, ...this.#next };
    const result = decodeSegmentHeader(file.bytes, expected, file.crc32);
    if (result.kind === 'version') {
      throw walUnsupported(path, `format version ${result.version}`);
    }
    if (result.kind === 'unwritten' && isLast) {
      // It is synced before it is used, so a crash between creating and syncing it lost nothing.
      this.#unfinished = path;
      return false;
    }
    if (result.kind !== 'header') throw walCorrupt(path, 0, 'the header of the segment is damaged');
    const { segment, sequence, chain } = result.header;
    if (segment !== file.segment) {
      throw walCorrupt(path, 0, `this is segment ${segment} under another name`);
    }
    if (sequence !== expected.sequence || chain !== expected.chain) {
      const reason = `it goes on at write group ${sequence} of another history`;
      throw walCorrupt(path, 0, `${reason}, ${expected.sequence} belongs here`);
    }
    return true;
  }

  #records(path: string, file: SegmentBytes, header: GroupHeader): void {
    let seed = header.chainBefore;
    let at = header.body.from;
    while (at < header.body.to) {
      const end = recordEnd(file.view, at, header.body.to) as number;
      const place = {
        file: path,
        segment: file.segment,
        offset: at,
        size: end - at,
        seed,
        sequence: header.sequence,
      };
      this.#record(file.bytes.subarray(at, end), place);
      seed = file.view.getUint32(at, true);
      at = end;
    }
  }

  #record(bytes: Uint8Array, place: RecordPlace): void {
    const decoded = decodeRecord(bytes);
    if ('unknown' in decoded) throw walUnsupported(place.file, decoded.unknown);
    if ('invalid' in decoded) throw walCorrupt(place.file, place.offset, decoded.invalid);
    if (decoded.groupId !== (this.#options.groupId ?? 0)) {
      throw walUnsupported(place.file, `records of Raft group ${decoded.groupId}`);
    }
    const problem = this.#history.add(decoded.record);
    if (problem !== undefined) throw walCorrupt(place.file, place.offset, problem);
    this.#options.visit?.(decoded.record, place);
  }
}
