/**
 * An engine that can be closed and opened again behind those who read from it: LevelDB takes no write any
 * more once one of them found no space on the disk, and goes on with reads (DESIGN §4.15).
 *
 *     reads --> engine            no space      the same engine      reads wait      another --> reads
 *               write fails  ---------------->  answers reads  ---- close, open ---->
 */
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { Deferred } from '../base/deferred.js';
import { kontikiError } from '../base/errors.js';
import type {
  CursorRange,
  EngineBatch,
  EngineIterator,
  EnginePair,
  EngineWriteOptions,
  KvEngine,
} from './kv-engine.js';

/**
 * A {@link KvEngine} over one that is replaced now and then.
 *
 * @since 0.1.0
 */
export class ReopenableEngine implements KvEngine {
  #engine: KvEngine;
  /** Resolves when there is an engine again; absent while there is one. */
  #reopened: Deferred<void> | undefined;
  /** Asked for meanwhile, in the order of the calls. */
  readonly #late = new Set<LateCursor>();
  /** Cursors that are open in the engine. */
  #cursors = 0;
  #unused: Deferred<void> | undefined;
  /** Never rejects. */
  #opening: Promise<void> | undefined;
  /** Why there will be no engine any more. */
  #failure: unknown;

  /** @param engine - owned by this one from here on */
  constructor(engine: KvEngine) {
    this.#engine = engine;
  }

  /** @throws {KontikiError} STORAGE_IO, STATE_CORRUPT, CLOSED */
  async getMany(keys: readonly BinaryString[]): Promise<readonly (Uint8Array | undefined)[]> {
    if (this.#reopened !== undefined) await this.#reopened.promise;
    return this.#engine.getMany(keys);
  }

  /** @throws {KontikiError} STORAGE_IO, STATE_CORRUPT, CLOSED */
  getNow(keys: readonly BinaryString[]): readonly (Uint8Array | undefined)[] | undefined {
    return this.#reopened === undefined ? this.#engine.getNow?.(keys) : undefined;
  }

  /**
   * While there is no engine, of the first moment of the next one: nothing is written in between.
   *
   * @throws {KontikiError} STORAGE_IO, CLOSED
   */
  iterate(range: CursorRange): EngineIterator {
    if (this.#reopened === undefined) return this.#open(range);
    const cursor = new LateCursor(range, () => this.#late.delete(cursor));
    if (this.#failure === undefined) this.#late.add(cursor);
    else cursor.fail(this.#failure);
    return cursor;
  }

  /** @throws {KontikiError} NO_SPACE: {@link reopen} before the next one; STORAGE_IO, CLOSED */
  write(batch: EngineBatch, options: EngineWriteOptions): Promise<void> {
    assert(this.#reopened === undefined, 'nothing is written while the engine is opened again');
    return this.#engine.write(batch, options);
  }

  /**
   * Closes the engine once its cursors are closed, and goes on with another one. Reads that come
   * meanwhile wait for it. After a failure they still do: it may be called again.
   *
   * @param open - opens the engine again
   * @throws what `open` throws, or what {@link giveUp} was told
   */
  reopen(open: () => Promise<KvEngine>): Promise<void> {
    const reopening = this.#reopen(open);
    this.#opening = reopening.catch(() => undefined);
    return reopening;
  }

  async #reopen(open: () => Promise<KvEngine>): Promise<void> {
    this.#reopened ??= new Deferred();
    // Nobody may be there to wait.
    this.#reopened.promise.catch(() => undefined);
    if (this.#cursors > 0) {
      this.#unused = new Deferred();
      await this.#unused.promise;
    }
    // It may say once more what its write said.
    await this.#engine.close().catch(() => undefined);
    if (this.#failure !== undefined) throw this.#failure;
    const engine = await open();
    this.#engine = engine;
    if (this.#failure !== undefined) throw this.#failure;
    for (const cursor of this.#late) cursor.begin(this.#open(cursor.range));
    this.#late.clear();
    this.#reopened.resolve();
    this.#reopened = undefined;
  }

  /**
   * Reads that wait for another engine fail, and later ones if there is none.
   *
   * @param error - what they fail with
   */
  giveUp(error: unknown): void {
    if (this.#reopened === undefined) return;
    this.#failure ??= error;
    for (const cursor of this.#late) cursor.fail(error);
    this.#late.clear();
    this.#reopened.reject(error);
    this.#unused?.resolve();
  }

  async close(): Promise<void> {
    this.giveUp(kontikiError('CLOSED', 'the state engine is closed'));
    await this.#opening;
    await this.#engine.close();
  }

  #open(range: CursorRange): EngineIterator {
    const cursor = this.#engine.iterate(range);
    this.#cursors += 1;
    let isOpen = true;
    return {
      next: (count) => cursor.next(count),
      close: () => {
        if (isOpen) {
          isOpen = false;
          this.#cursors -= 1;
          if (this.#cursors === 0) this.#unused?.resolve();
        }
        return cursor.close();
      },
    };
  }
}

/** A cursor that was asked for while there was no engine. */
class LateCursor implements EngineIterator {
  readonly range: CursorRange;
  readonly #onClosed: () => void;
  readonly #begun = new Deferred<EngineIterator | undefined>();

  constructor(range: CursorRange, onClosed: () => void) {
    this.range = range;
    this.#onClosed = onClosed;
    this.#begun.promise.catch(() => undefined);
  }

  begin(cursor: EngineIterator): void {
    this.#begun.resolve(cursor);
  }

  fail(error: unknown): void {
    this.#begun.reject(error);
  }

  async next(count: number): Promise<readonly EnginePair[]> {
    const cursor = await this.#begun.promise;
    return cursor === undefined ? [] : cursor.next(count);
  }

  async close(): Promise<void> {
    this.#onClosed();
    // Before there was one: there never will be.
    this.#begun.resolve(undefined);
    const cursor = await this.#begun.promise.catch(() => undefined);
    await cursor?.close();
  }
}
