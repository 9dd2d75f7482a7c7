/**
 * A key-value engine as one process has it open.
 */
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { Deferred } from '../base/deferred.js';
import { kontikiError } from '../base/errors.js';
import { type Random, randomInt } from '../base/prng.js';
import type {
  EngineBatch,
  EngineIterator,
  EnginePair,
  KeyRange,
  KvEngine,
} from '../storage/kv-engine.js';
import type { EngineView } from './engine-view.js';
import type { Incarnation } from './incarnation.js';
import type { StoredEngine, WriteFault } from './stored-engine.js';

/** Virtual microseconds, lowest and how much more at most. */
const latencies = {
  read: { minUs: 5, spreadUs: 60 },
  write: { minUs: 10, spreadUs: 60 },
  sync: { minUs: 80, spreadUs: 600 },
} as const;

/** What a full disk does to a write. */
const noSpace: WriteFault = { code: 'NO_SPACE' };

/** About; a write buffer that small makes an engine do every second what takes it hours. */
const batchesPerLog = 4;

/**
 * What an engine is opened on.
 *
 * @since 0.1.0
 */
export interface OpenedEngine {
  readonly stored: StoredEngine;
  readonly incarnation: Incarnation;
  /** Draws latencies. */
  readonly random: Random;
  /** Draws before which batches the engine begins a new log. */
  readonly logs: Random;
  /** For the trace. */
  readonly path: string;
  /** What an operation takes longer than usual now, on average, in virtual microseconds. */
  readonly slowByUs: (isWrite: boolean) => number;
  /** Whether there is no space for anything new. */
  readonly isFull: () => boolean;
}

/**
 * An open engine; `SimEngineDisk.mount` makes it.
 *
 * @since 0.1.0
 */
export class SimEngine implements KvEngine {
  readonly #on: OpenedEngine;
  #inFlight = 0;
  #writing = false;
  #hasWritten = false;
  /** As of LevelDB: after a write that failed it takes none. */
  #hasFailed = false;
  #closing: Deferred<void> | undefined;

  /**
   * @param on - see {@link OpenedEngine}
   */
  constructor(on: OpenedEngine) {
    this.#on = on;
  }

  getMany(keys: readonly BinaryString[]): Promise<readonly (Uint8Array | undefined)[]> {
    const { view } = this.#on.stored;
    const values = keys.map((key) => view.get(key));
    return this.#run('read', () => values);
  }

  iterate(range: KeyRange & { readonly reverse?: boolean }): EngineIterator {
    const cursor = new Cursor(this.#on.stored.view, range);
    let closed = false;
    return {
      next: (count) => {
        assert(!closed, 'a closed iterator is not used');
        return this.#run('read', () => cursor.take(count));
      },
      close: () => {
        closed = true;
        return this.#on.incarnation.settle(0, () => {});
      },
    };
  }

  write(batch: EngineBatch, options: { readonly sync: boolean }): Promise<void> {
    assert(!this.#writing || !this.#on.incarnation.alive, 'writes of an engine never overlap');
    this.#writing = this.#closing === undefined;
    const changes = new Map(batch);
    return this.#run(options.sync ? 'sync' : 'write', () => {
      this.#writing = false;
      const { incarnation, isFull, path, stored } = this.#on;
      if (this.#hasFailed) throw kontikiError('STORAGE_IO', `an earlier write to ${path} failed`);
      const fault = stored.writeFault ?? (isFull() ? noSpace : undefined);
      stored.writeFault = undefined;
      this.#hasFailed = fault !== undefined;
      // Not before the first one: what an engine finds in its logs when it opens, it puts into tables.
      if (this.#hasWritten && randomInt(this.#on.logs, batchesPerLog) === 0) stored.beginLog();
      this.#hasWritten = true;
      if (fault === undefined) stored.write(changes, options.sync);
      else if (fault.kept === true) stored.write(changes, false);
      if (fault !== undefined) throw kontikiError(fault.code, `write to ${path} failed (injected)`);
      const numbers = [changes.size, options.sync ? 1 : 0, this.#on.stored.view.size];
      incarnation.scheduler.trace('engine.write', incarnation.machine, path, ...numbers);
    });
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = new Deferred();
      this.#maybeClosed();
    }
    return this.#closing.promise;
  }

  #run<T>(kind: keyof typeof latencies, effect: () => T): Promise<T> {
    const { minUs, spreadUs } = latencies[kind];
    const { random } = this.#on;
    const slowByUs = this.#on.slowByUs(kind !== 'read');
    // A slow disk does not answer in the order in which it was asked.
    const stallUs = slowByUs === 0 ? 0 : Math.ceil(slowByUs / 2) + randomInt(random, slowByUs);
    const delayUs = stallUs + minUs + randomInt(random, spreadUs);
    if (this.#closing !== undefined) {
      return this.#on.incarnation.settle(delayUs, () => {
        throw kontikiError('CLOSED', `engine ${this.#on.path} is closed`);
      });
    }
    this.#inFlight += 1;
    return this.#on.incarnation.settle(delayUs, () => {
      this.#inFlight -= 1;
      this.#maybeClosed();
      return effect();
    });
  }

  #maybeClosed(): void {
    if (this.#inFlight > 0 || this.#closing === undefined || this.#closing.settled) return;
    const { incarnation, stored } = this.#on;
    const closing = this.#closing;
    incarnation.schedule(0, () => {
      if (closing.settled) return;
      stored.opened = false;
      closing.resolve();
    });
  }
}

/** Walks a range of one state from either end. */
class Cursor {
  readonly #view: EngineView;
  readonly #reverse: boolean;
  #lo: number;
  #hi: number;

  constructor(view: EngineView, range: KeyRange & { readonly reverse?: boolean }) {
    this.#view = view;
    this.#reverse = range.reverse === true;
    this.#lo = view.position(range.gte);
    this.#hi = Math.max(this.#lo, view.position(range.lt));
  }

  take(count: number): readonly EnginePair[] {
    const pairs: EnginePair[] = [];
    while (pairs.length < count && this.#lo < this.#hi) {
      if (this.#reverse) {
        this.#hi -= 1;
        pairs.push(this.#view.pair(this.#hi));
      } else {
        pairs.push(this.#view.pair(this.#lo));
        this.#lo += 1;
      }
    }
    return pairs;
  }
}
