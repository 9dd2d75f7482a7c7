/**
 * The records in the stream of a whole state, and whether the stream is one: it begins, has its records
 * in the order of their keys, each key once, counts them and ends, and nothing comes behind.
 */
import type { BinaryString } from '../base/bytes.js';
import { isKontikiError, type KontikiError } from '../base/errors.js';
import type { StoredRecord } from '../mvcc/backend.js';
import { type StatePart, StatePartReader } from './state-part-codec.js';

/**
 * Takes a stream in chunks of any size and gives its records.
 *
 * @since 0.1.0
 */
export class StateRecordsReader {
  readonly #parts = new StatePartReader();
  readonly #appliedIndex: number;
  readonly #refuse: (problem: string) => KontikiError;
  #state: 'begin' | 'records' | 'end' = 'begin';
  #count = 0;
  #lastKey: BinaryString | undefined;

  /**
   * @param appliedIndex - of the state that the stream must hold
   * @param refuse - makes the error for a stream that is none
   */
  constructor(appliedIndex: number, refuse: (problem: string) => KontikiError) {
    this.#appliedIndex = appliedIndex;
    this.#refuse = refuse;
  }

  /** Takes the next bytes, which belong to the records from here on. */
  push(chunk: Uint8Array): void {
    this.#parts.push(chunk);
  }

  /**
   * Further records, as views of what was pushed; `undefined` when more bytes are needed.
   *
   * @throws {KontikiError} what `refuse` makes; FORMAT_UNSUPPORTED
   */
  next(): readonly StoredRecord[] | undefined {
    for (let part = this.#part(); part !== undefined; part = this.#part()) {
      if (this.#state === 'end') throw this.#refuse('it goes on behind its end');
      if ((this.#state === 'begin') !== (part.kind === 'begin')) {
        throw this.#refuse(`${part.kind} is out of place`);
      }
      if (part.kind === 'records') {
        this.#take(part.records);
        return part.records;
      }
      this.#mark(part);
    }
    return undefined;
  }

  /**
   * All bytes were pushed, and all records taken.
   *
   * @throws {KontikiError} what `refuse` makes
   */
  end(): void {
    if (this.#state !== 'end' || !this.#parts.isEmpty) throw this.#refuse('it ends too early');
  }

  /** Of a key that comes twice one record would be lost, and counted. */
  #take(records: readonly StoredRecord[]): void {
    this.#count += records.length;
    for (const [key] of records) {
      if (this.#lastKey !== undefined && key <= this.#lastKey) {
        throw this.#refuse('its records are not in the order of their keys, each once');
      }
      this.#lastKey = key;
    }
  }

  #mark(part: Exclude<StatePart, { readonly kind: 'records' }>): void {
    if (part.kind === 'begin') {
      this.#state = 'records';
      if (part.appliedIndex === this.#appliedIndex) return;
      throw this.#refuse(`it is of entry ${part.appliedIndex}`);
    }
    this.#state = 'end';
    if (part.count === this.#count) return;
    throw this.#refuse(`it has ${this.#count} records of ${part.count}`);
  }

  #part(): StatePart | undefined {
    try {
      return this.#parts.next();
    } catch (error) {
      if (!isKontikiError(error, 'FRAME_INVALID')) throw error;
      throw this.#refuse(error.message);
    }
  }
}
