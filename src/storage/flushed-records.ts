/**
 * Records that were flushed lately, in memory. Whoever changes a key reads what it replaces, and keys that
 * change often were flushed a moment ago: LevelDB answers in 4 us of the main thread and leaves a buffer to
 * be freed, a sixth of what a put costs a member (docs/adr/0022-where-a-put-goes.md).
 *
 * ```
 *   walk of a flush --note--> pending --the flush is written--> young --full--> old --full--> gone
 * ```
 *
 * A flush may take time, fail, or be tried again, so what it brings counts from the moment in which the engine
 * has it. What is not here is asked of the engine; what is here must be what the engine has.
 */
import { ByteRoom } from '../base/byte-room.js';
import type { BinaryString } from '../base/bytes.js';

/** What of the flushed records is kept. @since 0.1.0 */
export interface KeptRecords {
  /** Keys that begin with this one unit. */
  readonly prefix: BinaryString;
  /** Bytes of keys and records, and of what keeping them takes; 0 for none. */
  readonly bytesMax: number;
}

type Generation = Map<BinaryString, Uint8Array | null>;

/** Map entry, string and view, estimated. */
const overheadBytes = 160;
/** A generation has room for so many of the largest ones: a few large values do not push out all others. */
const largestShare = 16;
/** Keys of one flush that are taken over; of one with more, the last. */
const pendingMax = 32_768;
/** Of those, in one turn: one or two milliseconds. */
const turnKeys = 4_096;

/**
 * The newest flushed records of some keys.
 *
 * Caller: the write-behind backend, which asks here only for what none of its layers holds.
 *
 * @since 0.1.0
 */
export class FlushedRecords {
  readonly #unit: number;
  readonly #generationBytesMax: number;
  readonly #room = new ByteRoom();
  #young: Generation = new Map();
  #old: Generation = new Map();
  /** Of all that was put into the young generation, replaced ones included. */
  #youngBytes = 0;
  #pendingKeys: BinaryString[] = [];
  #pendingRecords: (Uint8Array | null)[] = [];
  /** Not all that was noted is pending. */
  #isCut = false;

  /** @param kept - see {@link KeptRecords} */
  constructor({ prefix, bytesMax }: KeptRecords) {
    this.#unit = prefix.charCodeAt(0);
    this.#generationBytesMax = bytesMax / 2;
  }

  /** The record, `null` when the engine has none, `undefined` when that is not known here. */
  get(key: BinaryString): Uint8Array | null | undefined {
    const young = this.#young.get(key);
    return young === undefined ? this.#old.get(key) : young;
  }

  /** A flush begins to be walked; what an earlier walk noted was not written. */
  begin(): void {
    this.#pendingKeys = [];
    this.#pendingRecords = [];
    this.#isCut = false;
  }

  /** Takes the change of a key, of which the last one counts; `null` deletes. It does once it is {@link written}. */
  note(key: BinaryString, bytes: Uint8Array | null): void {
    if (key.charCodeAt(0) !== this.#unit) return;
    if (this.#pendingKeys.length === pendingMax) {
      this.begin();
      this.#isCut = true;
    }
    this.#pendingKeys.push(key);
    this.#pendingRecords.push(bytes);
  }

  /**
   * The engine has what was noted since {@link begin}. As long as this takes, the layers that were flushed must go
   * on overriding what is here.
   *
   * @param pause - lets others run
   */
  async written(pause: () => Promise<void>): Promise<void> {
    const [keys, records] = [this.#pendingKeys, this.#pendingRecords];
    // Of what is not pending any more an older record may be here.
    if (this.#isCut) this.clear();
    else this.begin();
    for (let at = 0; at < keys.length; at += 1) {
      if (at > 0 && at % turnKeys === 0) await pause();
      this.#keep(keys[at] as BinaryString, records[at] as Uint8Array | null);
    }
  }

  /** What the engine has is not known any more. */
  clear(): void {
    this.begin();
    this.#young = new Map();
    this.#old = new Map();
    this.#youngBytes = 0;
  }

  #keep(key: BinaryString, bytes: Uint8Array | null): void {
    const size = overheadBytes + key.length + (bytes?.length ?? 0);
    if (size * largestShare > this.#generationBytesMax) {
      this.#young.delete(key);
      this.#old.delete(key);
      return;
    }
    if (this.#youngBytes + size > this.#generationBytesMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#youngBytes += size;
    this.#young.set(key, bytes && this.#own(bytes));
  }

  /**
   * Its bytes alone: records are made in blocks that go when all of their records do (`mvcc/record-room.ts`), and
   * one that is kept among many that are not would hold a hundred times its size.
   */
  #own(bytes: Uint8Array): Uint8Array {
    if (bytes.byteLength === bytes.buffer.byteLength) return bytes;
    const own = this.#room.take(bytes.length);
    own.set(bytes);
    return own;
  }
}
