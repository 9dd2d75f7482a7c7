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
  /** Whether it is in the head of its segment, and repeats what was said before. */
  readonly isHead: boolean;
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
  /** End of the segment's head, where its first group goes. */
  readonly first: number;
  /** End of the last intact group, or of the head. */
  readonly end: number;
  /** Start of the last intact group behind the head; 0 when there is none. */
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
  /** Numbers of the segments that belong to the log. */
  readonly segments: readonly number[];
  /** Absent when there is no log. */
  readonly tail?: WalTail | undefined;
  /** A last write that never completed, to be cut: part of a group from this offset on. */
  readonly torn?: { readonly file: string; readonly offset: number } | undefined;
  /** Paths of segments from before the log's start, to be removed: a truncation was cut short. */
  readonly leftOver: readonly string[];
}

/**
 * Verifies a log that nobody writes to.
 *
 * @returns what it holds, and what opening it would cut
 * @throws {KontikiError} WAL_CORRUPT with file and offset; FORMAT_UNSUPPORTED; STORAGE_IO
 * @since 0.1.0
 */
export async function readWal(options: ReadWalOptions): Promise<WalSummary> {
  const { fs, dir, onProgress } = options;
  const present = segmentNumbers(await fs.list(dir));
  // Removing the first segments may have been cut short, in any order: a hole may be legal. Whether
  // it is, the segments behind the last one say.
  const run = lastRun(present);
  const reading = new WalReading(options);
  let bytesRead = 0;
  for (const [at, segment] of run.entries()) {
    const isLast = at === run.length - 1;
    const path = `${dir}/${segmentName(segment)}`;
    const bytes = await readWhole(fs, path);
    reading.segment(path, segmentBytes(segment, bytes, fs.crc32), isLast);
    bytesRead += bytes.length;
    onProgress?.({ segmentsRead: at + 1, segments: run.length, bytesRead });
  }
  return reading.summary(present, run);
}

/** The numbers up to the last that follow each other without a gap. */
function lastRun(numbers: readonly number[]): readonly number[] {
  let from = numbers.length - 1;
  while (from > 0 && numbers[from - 1] === (numbers[from] as number) - 1) from -= 1;
  return numbers.slice(Math.max(from, 0));
}

async function readWhole(fs: FileSystem, path: string): Promise<Uint8Array> {
  const file = await fs.open(path, 'read');
  try {
    return await file.read(0, await file.size());
  } finally {
    await file.close();
  }
}

/** Takes a record, or says why it cannot follow. */
type AddRecord = (record: WalRecord) => string | undefined;

class WalReading {
  readonly #options: ReadWalOptions;
  readonly #history = new LogHistory();
  /** What the next group goes on from; the first segment's header says it. */
  #next: ChainState | undefined;
  #tail: WalTail | undefined;
  #torn: WalSummary['torn'];

  constructor(options: ReadWalOptions) {
    this.#options = options;
  }

  /**
   * @param present - numbers of all segments there are
   * @param run - those that were read
   */
  summary(present: readonly number[], run: readonly number[]): WalSummary {
    const { dir } = this.#options;
    const start = this.#history.startSegment;
    const path = (segment: number): string => `${dir}/${segmentName(segment)}`;
    const first = run[0] ?? 0;
    if (start < first) {
      let missing = start;
      while (present.includes(missing)) missing += 1;
      throw walCorrupt(path(missing), 0, 'the segment is missing although a later one exists');
    }
    const { hardState, terms } = this.#history;
    if (terms.base > hardState.commit) {
      const reason = `the log starts behind entry ${terms.base}, committed are ${hardState.commit}`;
      throw walCorrupt(path(start), segmentHeaderBytes, reason);
    }
    return {
      history: this.#history,
      segments: run.filter((segment) => segment >= start),
      tail: this.#tail,
      torn: this.#torn,
      leftOver: present.filter((segment) => segment < start).map(path),
    };
  }

  segment(path: string, file: SegmentBytes, isLast: boolean): void {
    const begin = this.#header(path, file);
    const first = this.#head(path, file, begin);
    let next: ChainState = { sequence: begin.sequence + 1, chain: begin.chain };
    let lastGroup = 0;
    let start = first;
    for (;;) {
      const result = readGroup(file, start, next);
      if (result.kind === 'end') break;
      if (result.kind === 'damage') {
        // A segment is synced before the next one is begun: only the last can hold a torn write.
        const why = isLast ? whyNotTorn(file, start, result, next) : 'a later segment exists';
        if (why !== undefined) {
          const reason = `${result.reason}, and it is not a torn last write: ${why}`;
          throw walCorrupt(path, result.offset, reason);
        }
        this.#torn = { file: path, offset: start };
        break;
      }
      this.#records(path, file, result.header, (record) => this.#history.add(record));
      next = { sequence: next.sequence + 1, chain: result.chain };
      lastGroup = start;
      start = result.header.end;
    }
    this.#next = next;
    this.#tail = { segment: file.segment, first, end: start, lastGroup, next };
  }

  /** What the segment's first group goes on from. */
  #header(path: string, file: SegmentBytes): ChainState {
    const result = decodeSegmentHeader(file.bytes, file.crc32);
    if (result.kind === 'version') {
      throw walUnsupported(path, `format version ${result.version}`);
    }
    if (result.kind !== 'header') throw walCorrupt(path, 0, 'the header of the segment is damaged');
    const { segment, sequence, chain } = result.header;
    if (segment !== file.segment) {
      throw walCorrupt(path, 0, `this is segment ${segment} under another name`);
    }
    const expected = this.#next ?? result.header;
    if (sequence !== expected.sequence || chain !== expected.chain) {
      const reason = `it goes on at write group ${sequence} of another history`;
      throw walCorrupt(path, 0, `${reason}, ${expected.sequence} belongs here`);
    }
    return { sequence, chain };
  }

  /**
   * Reads the segment's head; returns where it ends. It was synced before the segment got its name,
   * so it is never torn.
   */
  #head(path: string, file: SegmentBytes, begin: ChainState): number {
    const result = readGroup(file, segmentHeaderBytes, begin);
    if (result.kind !== 'group') {
      const { offset, reason } =
        result.kind === 'damage'
          ? result
          : { offset: segmentHeaderBytes, reason: 'it is not there' };
      throw walCorrupt(path, offset, `the head of the segment is damaged: ${reason}`);
    }
    this.#records(path, file, result.header, (record) =>
      this.#history.addToHead(record, file.segment),
    );
    return result.header.end;
  }

  #records(path: string, file: SegmentBytes, header: GroupHeader, add: AddRecord): void {
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
        isHead: header.start === segmentHeaderBytes,
      };
      this.#record(file.bytes.subarray(at, end), place, add);
      seed = file.view.getUint32(at, true);
      at = end;
    }
  }

  #record(bytes: Uint8Array, place: RecordPlace, add: AddRecord): void {
    const decoded = decodeRecord(bytes);
    if ('unknown' in decoded) throw walUnsupported(place.file, decoded.unknown);
    if ('invalid' in decoded) throw walCorrupt(place.file, place.offset, decoded.invalid);
    if (decoded.groupId !== (this.#options.groupId ?? 0)) {
      throw walUnsupported(place.file, `records of Raft group ${decoded.groupId}`);
    }
    const problem = add(decoded.record);
    if (problem !== undefined) throw walCorrupt(place.file, place.offset, problem);
    this.#options.visit?.(decoded.record, place);
  }
}
