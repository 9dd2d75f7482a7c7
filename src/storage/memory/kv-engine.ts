/**
 * The key-value engine in memory: the reference for what an engine must do, and a disk that can lose
 * what nobody synced.
 */
import type { BinaryString } from '../../base/bytes.js';
import { kontikiError } from '../../base/errors.js';
import { SortedMap } from '../../base/sorted-map.js';
import type { EngineBatch, EngineIterator, EnginePair, KeyRange, KvEngine } from '../kv-engine.js';

/**
 * A {@link KvEngine} that holds everything in memory.
 *
 * @since 0.1.0
 */
export class MemoryEngine implements KvEngine {
  #current: SortedMap;
  #durable: SortedMap;
  #closed = false;

  constructor() {
    this.#current = new SortedMap();
    this.#durable = new SortedMap();
  }

  /** @throws {KontikiError} CLOSED */
  async getMany(keys: readonly BinaryString[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.getNow(keys);
  }

  /** @throws {KontikiError} CLOSED */
  getNow(keys: readonly BinaryString[]): readonly (Uint8Array | undefined)[] {
    this.#checkOpen();
    return keys.map((key) => this.#current.get(key));
  }

  /** @throws {KontikiError} CLOSED */
  iterate(range: KeyRange & { readonly reverse?: boolean }): EngineIterator {
    this.#checkOpen();
    return new MemoryIterator(this.#current.snapshot(), range);
  }

  /**
   * Shows at once. With `sync` it is durable when the promise resolves, not before, so that a crash
   * between the two loses it.
   *
   * @throws {KontikiError} CLOSED
   */
  async write(batch: EngineBatch, options: { readonly sync: boolean }): Promise<void> {
    this.#checkOpen();
    for (const [key, value] of batch) {
      if (value === undefined) this.#current.delete(key);
      // A copy: what is written may be a small part of a large buffer, which would stay with it.
      else this.#current.set(key, new Uint8Array(value));
    }
    if (!options.sync) return;
    const written = this.#current.snapshot();
    await Promise.resolve();
    this.#checkOpen();
    this.#durable = written;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A clean close keeps what the page cache held: the machine did not go down.
    this.#durable = this.#current;
  }

  /**
   * The machine goes down: writes that were not synced are gone, and this engine, which belonged to
   * the process that died, is closed. {@link reopen} is the next process.
   */
  crash(): void {
    this.#closed = true;
    this.#current = this.#durable;
  }

  /**
   * The engine of the next process, over what this one left behind. Closes this one.
   */
  reopen(): MemoryEngine {
    this.#closed = true;
    const next = new MemoryEngine();
    next.#current = this.#current.snapshot();
    next.#durable = this.#durable.snapshot();
    return next;
  }

  #checkOpen(): void {
    if (this.#closed) throw kontikiError('CLOSED', 'the memory engine is closed');
  }
}

class MemoryIterator implements EngineIterator {
  readonly #view: SortedMap;
  readonly #reverse: boolean;
  #gte: BinaryString;
  #lt: BinaryString;

  constructor(view: SortedMap, range: KeyRange & { readonly reverse?: boolean }) {
    this.#view = view;
    this.#reverse = range.reverse ?? false;
    this.#gte = range.gte;
    this.#lt = range.lt;
  }

  async next(count: number): Promise<readonly EnginePair[]> {
    const pairs = this.#view.collect({ gte: this.#gte, lt: this.#lt }, count, this.#reverse);
    const last = pairs.at(-1);
    if (last === undefined) this.#lt = this.#gte;
    else if (this.#reverse) this.#lt = last[0];
    // The smallest key above `last`: it and a zero byte.
    else this.#gte = `${last[0]}\0`;
    return pairs;
  }

  async close(): Promise<void> {
    this.#lt = this.#gte;
  }
}
