/**
 * Turns of the event loop for reads of many slices. Where everything that they read is in memory, only
 * promises lie between two slices, and nothing else would end the turn: to read an hour of history, or a
 * large range page by page, would stop the process for all of it.
 */
import type { Backend, ReadSet } from '../mvcc/backend.js';

/** Records read before the turn ends: few enough to decode in milliseconds, and several slices. */
const turnRecords = 4_096;

/**
 * Counts what is read by all who share it. Whoever has read much, and all who read beside it meanwhile,
 * go on in another turn.
 *
 * @since 0.1.0
 */
export class ReadTurns {
  #records = 0;
  #pause: Promise<void> | undefined;

  /**
   * Counts a slice.
   *
   * @param reads - what was read of it
   * @param backend - lets the turn end
   * @returns what to wait for before anything more is read; `undefined` for nothing
   */
  took(reads: ReadSet, backend: Pick<Backend, 'pause'>): Promise<void> | undefined {
    this.#records += reads.records.length;
    for (const range of reads.ranges) this.#records += range.length;
    if (this.#records < turnRecords) return undefined;
    this.#pause ??= this.#rest(backend);
    return this.#pause;
  }

  async #rest(backend: Pick<Backend, 'pause'>): Promise<void> {
    await backend.pause();
    this.#records = 0;
    this.#pause = undefined;
  }
}
