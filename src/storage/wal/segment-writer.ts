/**
 * Writes groups to the newest segment, keeps zeros ahead of itself and goes on in the next segment.
 *
 *     header | head | groups .... offset | zeros .... zeroed | not there yet     prepared: zeros
 *
 * Zeros are written beside the hot path, only behind `zeroed`; groups only before it while zeros are
 * being written. So the two never meet, and a sync rarely has a new file size to record. A sync also
 * waits for zeros that are on their way to the disk: they come in pieces, one per group at most. When
 * a segment has all its zeros, the next one is prepared.
 */
import { assert } from '../../base/assert.js';
import { isKontikiError } from '../../base/errors.js';
import type { StorageFile } from '../file-system.js';
import { alignGroup, sectorBytes } from './format.js';
import type { GroupBuilder, GroupPosition } from './group-builder.js';
import type { ChainState } from './group-reader.js';
import type { LogHead } from './log-head.js';
import type { WalTail } from './reader.js';
import {
  beginSegment,
  createPrepared,
  discardPrepared,
  fill,
  fillPrepared,
  type SegmentOptions,
  type ZeroedFile,
  zeros,
} from './segment-file.js';
import { segmentName } from './segment-header.js';

/** What is written. */
export interface WrittenGroup {
  readonly builder: GroupBuilder;
  /** The log before the group. */
  readonly head: LogHead;
}

interface WriterState {
  readonly file: StorageFile;
  readonly segment: number;
  /** Where the segment's first group goes. */
  readonly first: number;
  readonly offset: number;
  readonly zeroed: number;
}

export class SegmentWriter {
  readonly #options: SegmentOptions;
  #file: StorageFile;
  #segment: number;
  #first: number;
  /** Where the next group goes. */
  #offset: number;
  /** The file is zero from `#offset` to here. */
  #zeroed: number;
  #sequence: number;
  /** What becomes the next segment. */
  #prepared: ZeroedFile | undefined;
  /** Zeros on their way, in this segment or the next. Never rejects. */
  #filling: Promise<void> | undefined;
  /** Why this segment must not be written any more. */
  #fillError: unknown;
  #hasSpace = true;
  /** A group is on its way: maybe past the zeros, maybe to a segment that is being made for it. */
  #isAppending = false;

  private constructor(options: SegmentOptions, at: WriterState, sequence: number) {
    this.#options = options;
    this.#file = at.file;
    this.#segment = at.segment;
    this.#first = at.first;
    this.#offset = at.offset;
    this.#zeroed = at.zeroed;
    this.#sequence = sequence;
  }

  /** Starts the first segment of a log, durable with its name. */
  static async create(options: SegmentOptions, head: LogHead): Promise<SegmentWriter> {
    const next = { sequence: 1, chain: 0 };
    const prepared = await fillPrepared(options, 1, await createPrepared(options, 1));
    const begun = await beginSegment(options, prepared, { next, head });
    return new SegmentWriter(options, { ...begun, first: begun.offset }, next.sequence + 1);
  }

  /**
   * Continues a segment that was read and verified. What is behind its end is cut off, and its last
   * group is written once more before the sync: after a failed one the page cache may show as clean
   * what the disk never got (Rebello et al., ATC'20), and nobody may build on that. A crash meanwhile
   * leaves in each sector what was there or the very same bytes; docs/storage.md goes through it.
   */
  static async resume(options: SegmentOptions, tail: WalTail): Promise<SegmentWriter> {
    const { fs, dir } = options;
    const { segment, first, end, lastGroup, next } = tail;
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
      const at = { file, segment, first, offset: end, zeroed };
      return new SegmentWriter(options, at, next.sequence);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Number of the newest segment. */
  get segment(): number {
    return this.#segment;
  }

  /** Where the next group goes, if it goes to this segment. */
  get offset(): number {
    return this.#offset;
  }

  /** False while zeros ahead find no space on the disk. */
  get hasSpace(): boolean {
    return this.#hasSpace;
  }

  /** Begins to write zeros ahead: whether there is space is to be known before it is needed. */
  fill(): void {
    this.#fillAhead(0);
  }

  /**
   * Tries once more to write zeros ahead, if there was no space for them. Never rejects. Not beside a
   * group, which zeros could overwrite: behind it they are tried anyway.
   */
  async reserve(): Promise<boolean> {
    if (!this.#hasSpace && !this.#isAppending) {
      this.#fillAhead(0);
      await this.#filling;
    }
    return this.#hasSpace;
  }

  /**
   * Writes and syncs a group; one call at a time. After a failure the writer is only closed.
   *
   * @param onSealed - called before the write with the group's place
   */
  async append(group: WrittenGroup, onSealed: (place: GroupPosition) => void): Promise<void> {
    this.#isAppending = true;
    try {
      const length = await this.#append(group, onSealed);
      this.#fillAhead(length);
    } finally {
      this.#isAppending = false;
    }
  }

  /** @returns how long the group was */
  async #append(
    { builder, head }: WrittenGroup,
    onSealed: (place: GroupPosition) => void,
  ): Promise<number> {
    const isUsed = this.#offset > this.#first;
    if (isUsed && this.#offset + builder.length > this.#options.segmentBytes) {
      await this.#roll(head, { sequence: this.#sequence, chain: builder.chainBefore });
    }
    const place = { segment: this.#segment, offset: this.#offset, sequence: this.#sequence };
    const bytes = builder.seal(place);
    onSealed(place);
    const end = place.offset + bytes.length;
    // Caught up with the zeros: let them come to an end, then grow the file with the group itself.
    if (end > this.#zeroed) await this.#filling;
    if (this.#fillError !== undefined) throw this.#fillError;
    await this.#write(place.offset, bytes);
    await (this.#options.sync?.(this.#file) ?? this.#file.sync());
    this.#sequence += 1;
    this.#offset = end;
    this.#zeroed = Math.max(this.#zeroed, end);
    return bytes.length;
  }

  /** Waits for the zeros under way and closes the file. */
  async close(): Promise<void> {
    await this.#filling;
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (prepared !== undefined) {
      await discardPrepared(this.#options, prepared.segment, prepared.file);
    }
    await this.#file.close();
  }

  /**
   * What a failed write took of a group is removed: nobody was told of it, its space may be what is
   * missing, and only whole sectors can be told from damage at the next open.
   */
  async #write(offset: number, bytes: Uint8Array): Promise<void> {
    try {
      await this.#file.write(offset, [bytes]);
    } catch (error) {
      await this.#filling;
      // The first error is the one to report.
      await this.#file.truncate(offset).catch(() => undefined);
      throw error;
    }
  }

  /** Goes on in the next segment. Every group before it is durable. */
  async #roll(head: LogHead, next: ChainState): Promise<void> {
    await this.#filling;
    if (this.#fillError !== undefined) throw this.#fillError;
    const options = this.#options;
    const segment = this.#segment + 1;
    const prepared =
      this.#prepared ??
      (await fillPrepared(options, segment, await createPrepared(options, segment)));
    this.#prepared = undefined;
    const begun = await beginSegment(options, prepared, { next, head });
    const old = this.#file;
    this.#file = begun.file;
    this.#segment = segment;
    this.#first = begun.offset;
    this.#offset = begun.offset;
    this.#zeroed = begun.zeroed;
    this.#sequence = next.sequence + 1;
    await old.close();
  }

  /** Writes a piece of zeros when one is lacking, a larger one to keep up with larger groups. */
  #fillAhead(groupBytes: number): void {
    if (this.#filling !== undefined || this.#fillError !== undefined) return;
    const { preallocateBytes, segmentBytes } = this.#options;
    const wanted = this.#offset + preallocateBytes;
    const target = Math.min(wanted, segmentBytes);
    const piece = Math.min(zeros.length, alignGroup(preallocateBytes / 2));
    const lacking = target - this.#zeroed;
    // Without space any piece is worth it: nothing is appended then that would make a larger one.
    const isWorthIt = lacking >= piece || target === segmentBytes || !this.#hasSpace;
    let work: Promise<void> | undefined;
    if (lacking > 0 && isWorthIt) {
      const length = Math.min(lacking, Math.max(piece, 2 * groupBytes));
      work = this.#fillTo(this.#zeroed + length);
    } else if (lacking <= 0 && wanted > segmentBytes && this.#prepared === undefined) {
      work = this.#prepare();
    } else {
      this.#hasSpace = true;
    }
    this.#filling = work?.finally(() => {
      this.#filling = undefined;
    });
  }

  /** Never rejects. */
  async #fillTo(target: number): Promise<void> {
    try {
      while (this.#zeroed < target) {
        const from = this.#zeroed;
        assert(from >= this.#offset, `wal: zeros at ${from} over a group up to ${this.#offset}`);
        this.#zeroed = await fill(this.#file, from, Math.min(from + zeros.length, target));
      }
      this.#hasSpace = true;
    } catch (error) {
      this.#noteFailure(error);
    }
  }

  /** Never rejects. */
  async #prepare(): Promise<void> {
    const segment = this.#segment + 1;
    let file: StorageFile;
    try {
      file = await createPrepared(this.#options, segment);
    } catch (error) {
      // No descriptor left, say. Whoever needs the segment tries again, and hears why it fails.
      if (isKontikiError(error, 'NO_SPACE')) this.#hasSpace = false;
      return;
    }
    try {
      this.#prepared = await fillPrepared(this.#options, segment, file);
      this.#hasSpace = true;
    } catch (error) {
      this.#noteFailure(error);
    }
  }

  /** A full disk is the group's business, if it comes to that. Any other error is final. */
  #noteFailure(error: unknown): void {
    if (isKontikiError(error, 'NO_SPACE')) this.#hasSpace = false;
    else this.#fillError = error;
  }
}
