/**
 * Fills a new engine with a whole state, as a snapshot brings it. The engine cannot be opened as a
 * state before the last record is on stable storage: a load that was cut short is refused, and its
 * folder is to be removed.
 */
import { assert } from '../base/assert.js';
import { kontikiError } from '../base/errors.js';
import type { StoredRecord } from '../mvcc/backend.js';
import { FlushChain } from './flush-chain.js';
import type { KvEngine } from './kv-engine.js';

const batchBytesDefault = 4 * 1024 * 1024;

/**
 * Loads records into an empty engine. One call at a time.
 *
 * Every batch carries a flush record, as those of the write-behind backend do: a batch that the engine
 * loses later is missed when the state is opened.
 *
 * @since 0.1.0
 */
export class StateLoader {
  readonly #engine: KvEngine;
  readonly #chain: FlushChain;
  readonly #batchBytes: number;
  #records: StoredRecord[] = [];
  #bytes = 0;
  #isDone = false;

  private constructor(engine: KvEngine, chain: FlushChain, batchBytes: number) {
    this.#engine = engine;
    this.#chain = chain;
    this.#batchBytes = batchBytes;
  }

  /**
   * @param engine - empty; stays the caller's, who closes it
   * @param options.batchBytes - keys and values of one batch, about; default 4 MiB
   * @throws {KontikiError} STATE_CORRUPT when there is something in it; STORAGE_IO
   */
  static async begin(
    engine: KvEngine,
    options: { readonly batchBytes?: number } = {},
  ): Promise<StateLoader> {
    const chain = await FlushChain.open(engine);
    if (!chain.isEmpty)
      throw kontikiError('STATE_CORRUPT', 'a state is loaded into an empty engine');
    return new StateLoader(engine, chain, options.batchBytes ?? batchBytesDefault);
  }

  /**
   * Adds records, each key once in the whole load.
   *
   * @returns what to wait for before the next call; a plain value when there is nothing to
   * @throws {KontikiError} NO_SPACE, STORAGE_IO
   */
  add(records: readonly StoredRecord[]): void | Promise<void> {
    assert(!this.#isDone, 'a loaded state takes no further records');
    for (const record of records) {
      this.#records.push(record);
      this.#bytes += record[0].length + record[1].length;
    }
    return this.#bytes < this.#batchBytes ? undefined : this.#write(undefined);
  }

  /**
   * Makes everything durable, with the applied index that goes with it.
   *
   * @param appliedIndex - last entry that is in the state
   * @throws {KontikiError} NO_SPACE, STORAGE_IO
   */
  async finish(appliedIndex: number): Promise<void> {
    assert(!this.#isDone, 'a state is loaded once');
    this.#isDone = true;
    await this.#write(appliedIndex);
  }

  #write(appliedIndex: number | undefined): Promise<void> {
    const records = this.#records;
    this.#records = [];
    this.#bytes = 0;
    const batch = this.#chain.next(records, appliedIndex);
    // Each of them: LevelDB does not sync a log of its own that it has filled when it begins the next
    // one, so a sync of the last batch alone can leave a hole before it.
    return this.#engine.write(batch, { sync: true });
  }
}
