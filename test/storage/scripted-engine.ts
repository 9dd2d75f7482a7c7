/** A memory engine whose writes settle, fail or are forgotten when the test says so. */
import { Deferred } from '../../src/base/deferred.js';
import type {
  EngineBatch,
  EngineIterator,
  KeyRange,
  KvEngine,
} from '../../src/storage/kv-engine.js';
import { MemoryEngine } from '../../src/storage/memory/kv-engine.js';

interface HeldWrite {
  readonly take: () => Promise<void>;
  readonly settled: Deferred<void>;
}

export class ScriptedEngine implements KvEngine {
  readonly inner: MemoryEngine;
  /** Writes wait for `release`. */
  hold = false;
  /** While held: whether the engine's state already shows the write. */
  showEarly = false;
  /** Numbers of writes, from 1, that resolve and leave no trace. */
  readonly forget = new Set<number>();
  /** Whether single keys are answered inside the call. */
  isNow = false;
  failWith: unknown;
  /** Pairs a cursor gives at a time, however many are asked for. */
  chunkMax = Number.POSITIVE_INFINITY;
  writeCount = 0;
  openCursors = 0;
  keysAsked: string[] = [];
  #held: HeldWrite | undefined;

  constructor(inner = new MemoryEngine()) {
    this.inner = inner;
  }

  get isWriting(): boolean {
    return this.#held !== undefined;
  }

  getMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.keysAsked.push(...keys);
    return this.inner.getMany(keys);
  }

  getNow(keys: readonly string[]): readonly (Uint8Array | undefined)[] | undefined {
    return this.isNow ? this.inner.getNow(keys) : undefined;
  }

  iterate(range: KeyRange & { readonly reverse?: boolean }): EngineIterator {
    const cursor = this.inner.iterate(range);
    let isOpen = true;
    this.openCursors += 1;
    return {
      next: (count) => cursor.next(Math.min(count, this.chunkMax)),
      close: () => {
        if (isOpen) this.openCursors -= 1;
        isOpen = false;
        return cursor.close();
      },
    };
  }

  async write(batch: EngineBatch, options: { readonly sync: boolean }): Promise<void> {
    this.writeCount += 1;
    if (this.failWith !== undefined) throw this.failWith;
    const pairs = [...batch];
    if (this.forget.has(this.writeCount)) return;
    const take = () => this.inner.write(pairs, options);
    if (!this.hold) return take();
    const settled = new Deferred<void>();
    const early = this.showEarly ? take() : undefined;
    this.#held = { take: early === undefined ? take : () => early, settled };
    await settled.promise;
  }

  /** Lets the held write through, or fails it. */
  async release(error?: unknown): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (error === undefined) await held?.take();
    if (error === undefined) held?.settled.resolve();
    else held?.settled.reject(error);
    // The writer learns of it a few microtasks later.
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
