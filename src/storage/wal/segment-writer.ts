/**
 * Writes groups to the newest segment, keeps zeros ahead of itself and goes on in the next segment.
 *
 *     header | head | groups .... offset | zeros .... zeroed | not there yet     prepared: zeros
 *
 * Zeros are written beside the hot path, only behind `zeroed`; groups only before it while zeros are
 * being written. So the two never meet, and a sync rarely has a new file size to record. A sync also
 * waits for zeros that are on their way to the disk: they come in pieces, one per group at most. When
 * a segment has all its zeros, the next one is prepared.
 *
 * A group for which the disk has no space can wait until there is some: nobody was told of it, and its
 * bytes are there. After a sync that found none the file is opened again (`segment-file.ts`).
 */
import { assert } from '../../base/assert.js';
import { Deferred } from '../../base/deferred.js';
import { isKontikiError } from '../../base/errors.js';
import type { StorageFile } from '../file-system.js';
import { alignGroup } from './format.js';
import type { GroupBuilder, GroupPosition } from './group-builder.js';
import type { ChainState } from './group-reader.js';
import type { LogHead } from './log-head.js';
import type { WalTail } from './reader.js';
import {
  beginSegment,
  checkEnd,
  createPrepared,
  discardPrepared,
  fill,
  fillPrepared,
  reopenSegment,
  type SegmentOptions,
  type ZeroedFile,
  zeros,
} from './segment-file.js';

/** What is written. */
export interface WrittenGroup {
  readonly builder: GroupBuilder;
  /** The log before the group. */
  readonly head: LogHead;
}

interface WriterState extends ZeroedFile {
  /** Where the segment's first group goes. */
  readonly first: number;
  /** Where its newest group is; 0 when it has none. */
  readonly lastGroup: number;
  readonly offset: number;
}

export class SegmentWriter {
  readonly #options: SegmentOptions;
  #file: StorageFile;
  #segment: number;
  #first: number;
  #lastGroup: number;
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
  /** Ends when the group that waits for space is to be tried again. */
  #pause: Deferred<void> | undefined;
  /** Whether somebody looks for space while a group waits for it. */
  #isPatient = false;
  /** A sync of the file found no space: what it holds since the one before is anybody's guess. */
  #isSpoilt = false;

  private constructor(options: SegmentOptions, at: WriterState, sequence: number) {
    this.#options = options;
    this.#file = at.file;
    this.#segment = at.segment;
    this.#first = at.first;
    this.#lastGroup = at.lastGroup;
    this.#offset = at.offset;
    this.#zeroed = at.zeroed;
    this.#sequence = sequence;
  }

  /** Starts the first segment of a log, durable with its name. */
  static async create(options: SegmentOptions, head: LogHead): Promise<SegmentWriter> {
    const next = { sequence: 1, chain: 0 };
    const prepared = await fillPrepared(options, 1, await createPrepared(options, 1));
    const begun = await beginSegment(options, prepared, { next, head });
    const at = { ...begun, first: begun.offset, lastGroup: 0 };
    return new SegmentWriter(options, at, next.sequence + 1);
  }

  /** Continues a segment that was read and verified; what is behind its end is cut off. */
  static async resume(options: SegmentOptions, tail: WalTail): Promise<SegmentWriter> {
    const { first, end, lastGroup, next } = tail;
    const reopened = await reopenSegment(options, tail);
    const at = { ...reopened, first, lastGroup, offset: end };
    return new SegmentWriter(options, at, next.sequence);
  }

  /** Number of the newest segment. */
  get segment(): number {
    return this.#segment;
  }

  /** Where the next group goes, if it goes to this segment. */
  get offset(): number {
    return this.#offset;
  }

  /** False while zeros ahead, or a group, find no space on the disk. */
  get hasSpace(): boolean {
    return this.#hasSpace;
  }

  /** Begins to write zeros ahead: whether there is space is to be known before it is needed. */
  fill(): void {
    this.#fillAhead(0);
  }

  /**
   * Tries once more to write what there was no space for: a group, or else zeros ahead. Never rejects.
   * No zeros beside a group, which they could overwrite: behind it they are tried anyway.
   */
  async reserve(): Promise<boolean> {
    this.#pause?.resolve();
    if (!this.#hasSpace && !this.#isAppending) {
      this.#fillAhead(0);
      await this.#filling;
    }
    return this.#hasSpace;
  }

  /** Whether a group waits for space from here on. One that waits already is refused when not. */
  set isPatient(isPatient: boolean) {
    this.#isPatient = isPatient;
    if (!isPatient) this.#pause?.resolve();
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
    } catch (error) {
      this.#fillError ??= error;
      // Whoever wrote this may have told nobody. The next group has to, and without space there is none.
      this.#hasSpace = true;
      throw error;
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
      const next = { sequence: this.#sequence, chain: builder.chainBefore };
      await this.#untilSpace(() => this.#roll(head, next));
    }
    const place = { segment: this.#segment, offset: this.#offset, sequence: this.#sequence };
    const bytes = builder.seal(place);
    onSealed(place);
    await this.#untilSpace(() => this.#put(place, bytes, builder.chainBefore));
    this.#sequence += 1;
    this.#lastGroup = place.offset;
    this.#offset = place.offset + bytes.length;
    this.#zeroed = Math.max(this.#zeroed, this.#offset);
    return bytes.length;
  }

  /** Tries until the disk has space, if somebody looks for it. */
  async #untilSpace(step: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await step();
      } catch (error) {
        if (!isKontikiError(error, 'NO_SPACE') || !this.#isPatient) throw error;
        this.#hasSpace = false;
        this.#pause = new Deferred();
        await this.#pause.promise;
        this.#pause = undefined;
        if (!this.#isPatient) throw error;
      }
    }
  }

  /** @param chain - CRC of the last record before the group */
  async #put({ offset, sequence }: GroupPosition, bytes: Uint8Array, chain: number): Promise<void> {
    if (this.#isSpoilt) await this.#reopen({ sequence, chain });
    // Caught up with the zeros: let them come to an end, then grow the file with the group itself.
    if (offset + bytes.length > this.#zeroed) await this.#filling;
    if (this.#fillError !== undefined) throw this.#fillError;
    const persist = () => this.#persist(offset, bytes);
    await (this.#options.watch?.(persist) ?? persist());
  }

  /** Lets go of what a failed sync left of the file, as the next open would. */
  async #reopen(next: ChainState): Promise<void> {
    await this.#filling;
    await this.#file.close();
    const end = {
      segment: this.#segment,
      lastGroup: this.#lastGroup,
      end: this.#offset,
      next,
    };
    await checkEnd(this.#options, end);
    const { file, zeroed } = await reopenSegment(this.#options, end);
    this.#file = file;
    this.#zeroed = zeroed;
    // Zeros that the file refused because of the sync are no failure of their own.
    this.#fillError = undefined;
    this.#isSpoilt = false;
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

  async #persist(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#write(offset, bytes);
    try {
      await this.#file.sync();
    } catch (error) {
      this.#isSpoilt = true;
      // The segment to come may still find space, and must not say so after this found none.
      await this.#filling;
      throw error;
    }
  }

  /**
   * What a failed write took of a group is removed: nobody was told of it, its space may be what is
   * missing, and only whole sectors can be told from damage at the next open.
   */
  async #write(offset: number, bytes: Uint8Array): Promise<void> {
    try {
      await this.#file.write(offset, [bytes], { thenSync: true });
    } catch (error) {
      await this.#filling;
      // The first error is the one to report.
      await this.#file.truncate(offset).catch(() => undefined);
      this.#zeroed = offset;
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
    this.#lastGroup = 0;
    this.#offset = begun.offset;
    this.#zeroed = begun.zeroed;
    this.#sequence = next.sequence + 1;
    // Everything in it is durable. Were it tried again for this, the next segment would be begun twice.
    await old.close().catch(() => undefined);
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
      // No descriptor left, say. Whoever needs the segment tries again, and hears why it fails: nobody would
      // need it while there is said to be no space. This segment has all its zeros.
      this.#hasSpace = !isKontikiError(error, 'NO_SPACE');
      return;
    }
    try {
      this.#prepared = await fillPrepared(this.#options, segment, file);
      this.#hasSpace = true;
    } catch (error) {
      this.#noteFailure(error);
    }
  }

  /**
   * A full disk is the group's business, if it comes to that. Any other error is final, and the next group
   * has to tell it: where there is no space nobody writes one.
   */
  #noteFailure(error: unknown): void {
    this.#hasSpace = !isKontikiError(error, 'NO_SPACE');
    if (this.#hasSpace) this.#fillError = error;
  }
}
