/** Verifies the flush records of a state, one after the other: see `flush-chain.ts` for what they prove. */
import { replaceAdvice } from '../base/advice.js';
import type { BinaryString } from '../base/bytes.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { AheadProofs } from './ahead-proofs.js';
import { decodeFlush, type FlushRecord } from './flush-record.js';
import type { FlushSizes } from './flush-window.js';

/** What stands before the first flush. */
const nothing: FlushRecord = {
  ...{ seq: 0, oldest: 1, from: 0, to: 0, bytes: 0, previous: 0, hash: 0 },
  ...{ aheadBytes: 0, top: '', proofs: [], spent: [] },
};

/**
 * Takes all flush records in the order of their keys.
 *
 * @since 0.1.0
 */
export class FlushChainReading {
  /** Of the records, oldest first. */
  readonly sizes: FlushSizes[] = [];
  /** Of what went ahead of these flushes. */
  readonly ahead = new AheadProofs();
  #first: FlushRecord = nothing;
  #last: FlushRecord = nothing;

  /** The newest flush; one with `seq` 0 when there is none. */
  get last(): FlushRecord {
    return this.#last;
  }

  /**
   * @param key - of a flush record
   * @throws {KontikiError} STATE_CORRUPT when it does not continue the one before; FORMAT_UNSUPPORTED
   */
  add(key: BinaryString, value: Uint8Array): void {
    const record = decodeFlush(key, value);
    if (this.#last === nothing) this.#first = record;
    else checkLink(this.#last, record);
    this.#last = record;
    this.sizes.push({ bytes: record.bytes, aheadBytes: record.aheadBytes });
    this.ahead.take(record);
  }

  /**
   * To be called behind the last record.
   *
   * @param applied - the applied index that is stored beside them; 0 when there is none
   * @throws {KontikiError} STATE_CORRUPT
   */
  end(applied: number): void {
    const last = this.#last;
    if (last.to !== applied) {
      throw flushesLost(`the applied index is ${applied} but the last flush ended at ${last.to}`);
    }
    // The records below the first one were deleted by a flush, or they are lost: the last one knows.
    const first = this.#first === nothing ? nothing.oldest : this.#first.seq;
    if (first === last.oldest) return;
    const expected = `flushes ${last.oldest} to ${last.seq} are expected`;
    throw flushesLost(`${expected}, the first found is ${first}`);
  }
}

/**
 * The error for a state that misses something it once had.
 *
 * @param found - completes "the state lost changes that were on stable storage: ..."
 * @since 0.1.0
 */
export function flushesLost(found: string): KontikiError {
  const what = `the state lost changes that were on stable storage: ${found}`;
  return kontikiError('STATE_CORRUPT', `${what}; ${replaceAdvice}`);
}

/**
 * The error for a state without what went ahead of a flush.
 *
 * @since 0.1.0
 */
export function aheadLost(seq: number | undefined): KontikiError {
  return flushesLost(`the batch that went ahead of flush ${seq} is missing`);
}

function checkLink(last: FlushRecord, record: FlushRecord): void {
  if (record.seq !== last.seq + 1) {
    throw flushesLost(`flush ${record.seq} follows flush ${last.seq}, those between are missing`);
  }
  if (record.from !== last.to) {
    throw flushesLost(`flush ${record.seq} starts at applied index ${record.from}, not ${last.to}`);
  }
  if (record.previous !== last.hash) {
    throw flushesLost(`flush ${record.seq} continues another history than flush ${last.seq}`);
  }
}
