/**
 * Writes groups to the newest segment, keeps zeros ahead of itself and starts the next segment.
 *
 *     header | groups ....... offset | zeros ....... zeroed | not there yet
 *
 * Zeros are written beside the hot path, only behind `zeroed`; groups only before it while zeros are
 * being written. So the two never meet, and a sync rarely has a new file size to record. A sync also
 * waits for zeros that are on their way to the disk: they come in pieces, one per group at most.
 */
import { assert } from '../../base/assert.js';
import { isKontikiError } from '../../base/errors.js';
import type { FileSystem, StorageFile } from '../file-system.js';
import { alignGroup, sectorBytes, segmentHeaderBytes } from './format.js';
import type { GroupBuilder, GroupPosition } from './group-builder.js';
import type { WalTail } from './reader.js';
import { encodeSegmentHeader, type SegmentHeader, segmentName } from './segment-header.js';

/** One piece. */
const zeros = new Uint8Array(256 * 1024);

/** What a writer is made from. */
export interface SegmentWriterOptions {
  readonly fs: FileSystem;
  readonly dir: string;
  /** Bytes of a segment before the next is started. */
  readonly segmentBytes: number;
  /** Bytes to keep zeroed ahead. */
  readonly preallocateBytes: number;
}

export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #file: StorageFile;
  #segment: number;
  /** Where the next group goes. */
  #offset: number;
  /** The file is zero from `#offset` to here. */
  #zeroed: number;
  #filling: Promise<void> | undefined;
  #fillError: unknown;
  #canFill = true;

  private constructor(options: SegmentWriterOptions, file: StorageFile, at: SegmentState) {
    this.#options = options;
    this.#file = file;
    this.#segment = at.segment;
    this.#offset = at.offset;
    this.#zeroed = at.zeroed;
  }

  /** Starts a new segment, durable with its name. */
  static async create(
    options: SegmentWriterOptions,
    header: SegmentHeader,
  ): Promise<SegmentWriter> {
    const { file, state } = await createSegment(options, header);
    return new SegmentWriter(options, file, state);
  }

  /**
   * Continues a segment that was read and verified. What is behind its end is cut off, and its last
   * group is written once more before the sync: after a failed one the page cache may show as clean
   * what the disk never got (Rebello et al., ATC'20), and nobody may build on that.
   */
  static async resume(options: SegmentWriterOptions, tail: WalTail): Promise<SegmentWriter> {
    const { fs, dir } = options;
    const file = await fs.open(`${dir}/${segmentName(tail.segment)}`, 'read-write');
    try {
      const again = await file.read(tail.lastGroup, tail.end - tail.lastGroup);
      await file.truncate(tail.end);
      await file.sync();
      // Growing it makes the size part of the sync, whatever became of the size before.
      const zeroed = await fill(file, tail.end, tail.end + sectorBytes);
      await file.write(tail.lastGroup, [again]);
      await file.sync();
      await fs.syncDirectory(dir);
      return new SegmentWriter(options, file, {
        segment: tail.segment,
        offset: tail.end,
        zeroed,
      });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Writes and syncs a group; one call at a time. After a failure the writer is only closed.
   *
   * @param onSealed - called before the write with the group's place
   */
  async append(
    builder: GroupBuilder,
    sequence: number,
    onSealed: (place: GroupPosition) => void,
  ): Promise<void> {
    const isUsed = this.#offset > segmentHeaderBytes;
    if (isUsed && this.#offset + builder.length > this.#options.segmentBytes) {
      await this.#roll({ segment: this.#segment + 1, sequence, chain: builder.chainBefore });
    }
    const place: GroupPosition = { segment: this.#segment, offset: this.#offset, sequence };
    const bytes = builder.seal(place);
    onSealed(place);
    const end = place.offset + bytes.length;
    // Caught up with the zeros: let them come to an end, then grow the file with the group itself.
    if (end > this.#zeroed) await this.#filling;
    if (this.#fillError !== undefined) throw this.#fillError;
    await this.#write(place.offset, bytes);
    await this.#file.sync();
    this.#offset = end;
    this.#zeroed = Math.max(this.#zeroed, end);
    this.#fillAhead(bytes.length);
  }

  /** Waits for the zeros under way and closes the file. */
  async close(): Promise<void> {
    await this.#filling;
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

  async #roll(header: SegmentHeader): Promise<void> {
    await this.close();
    const { file, state } = await createSegment(this.#options, header);
    this.#file = file;
    this.#segment = state.segment;
    this.#offset = state.offset;
    this.#zeroed = state.zeroed;
    this.#canFill = true;
  }

  /** Writes a piece of zeros when one is lacking, a larger one to keep up with larger groups. */
  #fillAhead(groupBytes: number): void {
    const { preallocateBytes, segmentBytes } = this.#options;
    const target = Math.min(this.#offset + preallocateBytes, segmentBytes);
    const piece = Math.min(zeros.length, alignGroup(preallocateBytes / 2));
    const lacking = target - this.#zeroed;
    if (this.#filling !== undefined || !this.#canFill) return;
    if (lacking <= 0 || (lacking < piece && target < segmentBytes)) return;
    const length = Math.min(lacking, Math.max(piece, 2 * groupBytes));
    this.#filling = this.#fillTo(this.#zeroed + length).finally(() => {
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
    } catch (error) {
      // A full disk is the group's business, if it comes to that. Any other error is final.
      this.#canFill = false;
      if (!isKontikiError(error, 'NO_SPACE')) this.#fillError = error;
    }
  }
}

interface SegmentState {
  readonly segment: number;
  readonly offset: number;
  readonly zeroed: number;
}

/** Header and first zeros are durable before anything is written behind them, and the name too. */
async function createSegment(
  options: SegmentWriterOptions,
  header: SegmentHeader,
): Promise<{ readonly file: StorageFile; readonly state: SegmentState }> {
  const { fs, dir, segmentBytes, preallocateBytes } = options;
  const file = await fs.open(`${dir}/${segmentName(header.segment)}`, 'create');
  try {
    await file.write(0, [encodeSegmentHeader(header, fs.crc32)]);
    const offset = segmentHeaderBytes;
    const piece = Math.min(zeros.length, preallocateBytes, segmentBytes);
    const zeroed = await fill(file, offset, offset + piece);
    await file.sync();
    await fs.syncDirectory(dir);
    return { file, state: { segment: header.segment, offset, zeroed } };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Writes zeros; returns where they end. */
async function fill(file: StorageFile, from: number, to: number): Promise<number> {
  for (let at = from; at < to; at += zeros.length) {
    await file.write(at, [zeros.subarray(0, Math.min(zeros.length, to - at))]);
  }
  return to;
}
