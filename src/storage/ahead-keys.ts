/** What the flush chain remembers of keys that may go ahead of a flush (`flush-ahead.ts`). */
import type { BinaryString } from '../base/bytes.js';
import type { Change } from '../mvcc/backend.js';
import type { AheadProof, FlushRecord } from './flush-record.js';

/** Of a batch that went ahead: what it is known by later. @since 0.1.0 */
export interface AheadBatch {
  /** Its highest key. */
  readonly last: BinaryString;
  /** Some of its keys. */
  readonly keys: readonly BinaryString[];
  /** As the size of a flush is counted. */
  readonly bytes: number;
  /** Of its changes, continued from the flush before. */
  readonly hash: number;
}

/** Less than twice as many at most. */
const sampledKeys = 32;

/**
 * Takes some of many keys, evenly.
 *
 * @since 0.1.0
 */
export class KeySample {
  #keys: BinaryString[] = [];
  #stride = 1;
  #skip = 0;

  get keys(): readonly BinaryString[] {
    return this.#keys;
  }

  add(key: BinaryString): void {
    if (this.#skip > 0) {
      this.#skip -= 1;
      return;
    }
    this.#keys.push(key);
    if (this.#keys.length === 2 * sampledKeys) {
      this.#keys = this.#keys.filter((_, at) => at % 2 === 0);
      this.#stride *= 2;
      // The one that was just taken is left out again.
      this.#skip = this.#stride / 2 - 1;
    } else {
      this.#skip = this.#stride - 1;
    }
  }
}

/**
 * Follows the changes of one flush: a key that it puts or deletes says nothing any more about a batch that went ahead.
 *
 * @since 0.1.0
 */
export class AheadKeys {
  #top: BinaryString;
  /** By key: number of the flush that its batch went ahead of. */
  readonly #proofs = new Map<BinaryString, number>();

  /**
   * @param before - the flush before
   * @param ahead - what went ahead of this one
   */
  constructor(before: FlushRecord, ahead: AheadBatch | undefined) {
    this.#top = ahead?.last ?? before.top;
    for (const { seq, keys } of before.ahead) for (const key of keys) this.#proofs.set(key, seq);
    for (const key of ahead?.keys ?? []) this.#proofs.set(key, before.seq + 1);
  }

  /** Highest key that was ever put. */
  get top(): BinaryString {
    return this.#top;
  }

  /** @param change - of such a key, in the flush itself */
  note([key, bytes]: Change): void {
    this.#proofs.delete(key);
    if (bytes !== undefined && key > this.#top) this.#top = key;
  }

  /** @param oldest - the first flush whose batch a log of the engine may hold */
  proofsFrom(oldest: number): readonly AheadProof[] {
    const bySeq = new Map<number, BinaryString[]>();
    for (const [key, seq] of this.#proofs) {
      if (seq < oldest) continue;
      const keys = bySeq.get(seq);
      if (keys === undefined) bySeq.set(seq, [key]);
      else keys.push(key);
    }
    return [...bySeq].map(([seq, keys]) => ({ seq, keys }));
  }
}
