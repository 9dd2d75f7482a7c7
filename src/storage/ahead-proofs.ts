/**
 * What proves the batches that went ahead of flushes (`flush-ahead.ts`): some keys of each, which have to be there. A
 * key that a later flush put again, or deleted, proves nothing any more.
 */
import type { BinaryString } from '../base/bytes.js';
import type { Change } from '../mvcc/backend.js';
import type { FlushRecord } from './flush-record.js';

/** The part of a flush record that tells of such batches. @since 0.1.0 */
export type ToldAhead = Pick<FlushRecord, 'top' | 'proofs' | 'spent'>;

/** Less than twice as many. */
const sampledKeys = 32;

/**
 * Takes some of many keys, without a pattern: what removes every tenth of them should leave some.
 *
 * @since 0.1.0
 */
export class KeySample {
  #taken: { readonly key: BinaryString; readonly hash: number }[] = [];
  #mask = 0;

  get keys(): BinaryString[] {
    return this.#taken.map(({ key }) => key);
  }

  /** @param hash - of the key and of what came before, 32 bits */
  add(key: BinaryString, hash: number): void {
    if (((hash >>> 8) & this.#mask) !== 0) return;
    this.#taken.push({ key, hash });
    while (this.#taken.length >= 2 * sampledKeys) {
      this.#mask = 2 * this.#mask + 1;
      this.#taken = this.#taken.filter((one) => ((one.hash >>> 8) & this.#mask) === 0);
    }
  }
}

/**
 * The proofs of all flushes whose records are kept.
 *
 * @since 0.1.0
 */
export class AheadProofs {
  #top: BinaryString = '';
  /** By key: number of the flush that its batch went ahead of; in the order of the flushes. */
  readonly #flushes = new Map<BinaryString, number>();
  /** Of the flush under way. */
  #own = new Set<BinaryString>();
  #spent: BinaryString[] = [];

  /** Highest key of those that may go ahead that was ever put; empty before the first. */
  get top(): BinaryString {
    return this.#top;
  }

  get keys(): BinaryString[] {
    return [...this.#flushes.keys()];
  }

  /** Number of the flush that a proof is of. */
  flushOf(key: BinaryString): number | undefined {
    return this.#flushes.get(key);
  }

  /** Takes in a flush, in their order. */
  take({ seq, top, proofs, spent }: ToldAhead & { readonly seq: number }): void {
    this.#top = top;
    for (const key of spent) this.#flushes.delete(key);
    for (const key of proofs) this.#flushes.set(key, seq);
  }

  /**
   * Begins with the next flush.
   *
   * @param keys - some of what went ahead of it
   * @param last - the highest of what did; `undefined`: nothing
   */
  begin(keys: readonly BinaryString[], last: BinaryString | undefined): void {
    this.#own = new Set(keys);
    this.#spent = [];
    this.#top = last ?? this.#top;
  }

  /** @param change - of a key that may go ahead, in the flush itself */
  note([key, bytes]: Change): void {
    if (bytes !== undefined && key > this.#top) this.#top = key;
    if (!this.#own.delete(key) && this.#flushes.has(key)) this.#spent.push(key);
  }

  /** What the record of the flush tells, once all of its changes were noted. */
  told(): ToldAhead {
    return { top: this.#top, proofs: [...this.#own], spent: [...new Set(this.#spent)] };
  }

  /** @param oldest - the first flush whose record is kept */
  forgetBefore(oldest: number): void {
    for (const [key, seq] of this.#flushes) {
      if (seq >= oldest) return;
      this.#flushes.delete(key);
    }
  }
}
