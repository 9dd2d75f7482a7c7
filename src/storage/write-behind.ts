/**
 * The keyspace's store: changes go to an overlay in memory and are answered from there at once; the
 * overlay is written to the engine a little later, as one synced batch with its applied index
 * (DESIGN §4.11, docs/adr/0005-write-behind.md). The replicated log makes up for what a crash takes.
 *
 * ```
 *   apply -> active --swap--> flushing --one synced batch--> engine
 *   read  <- active, then flushing, then engine
 * ```
 *
 * `flushing` overrides the engine until its write has settled, so it does not matter whether an
 * engine read that overlaps with the write sees the state before or after it.
 */
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import type { Timer, Timers } from '../base/clock.js';
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type {
  Backend,
  Change,
  RangeRead,
  ReadPlan,
  ReadSet,
  StoredRecord,
} from '../mvcc/backend.js';
import { FlushChain } from './flush-chain.js';
import { appliedKey, flushKeys } from './flush-record.js';
import type { KvEngine } from './kv-engine.js';
import { captureRange, Overlay } from './overlay.js';
import { mergeRange } from './range-merge.js';

const defaults = {
  flushIntervalMs: 50,
  flushBytes: 4 * 1024 * 1024,
  overlayBytesMax: limits.overlayBytesMax,
} as const;
const ownPrefixes = [appliedKey.charCodeAt(0), flushKeys.gte.charCodeAt(0)] as const;

/** @since 0.1.0 */
export interface WriteBehindOptions {
  /** Owned by the backend from here on. */
  readonly engine: KvEngine;
  readonly timers: Timers;
  /** Milliseconds from the first change to the flush that takes it; default 50. */
  readonly flushIntervalMs?: number;
  /** Bytes of changes that start a flush earlier; default 4 MiB. */
  readonly flushBytes?: number;
  /** Bytes of changes, those being flushed included, at which `ready` waits; default 64 MiB. */
  readonly overlayBytesMax?: number;
  /** Called once, when a flush failed: nothing becomes durable any more. Reads still work. */
  readonly onFailed?: (error: KontikiError) => void;
}

type Settings = WriteBehindOptions & Record<keyof typeof defaults, number>;

/**
 * A {@link Backend} over a {@link KvEngine}.
 *
 * Keys that start with `b` and `f` are its own; the caller's must not.
 *
 * @since 0.1.0
 */
export class WriteBehindBackend implements Backend {
  readonly openedIndex: number;
  readonly #settings: Settings;
  readonly #engine: KvEngine;
  readonly #chain: FlushChain;
  #active = new Overlay();
  #flushing: Overlay | undefined;
  #appliedIndex: number;
  #durableIndex: number;
  /** Something was applied since the last flush started. */
  #isDirty = false;
  /** Never rejects: a failure is kept in `#failure`. */
  #inFlight: Promise<void> | undefined;
  #startedFlushes = 0;
  #finishedFlushes = 0;
  #timer: Timer | undefined;
  #isTimerSoon = false;
  #failure: KontikiError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: WriteBehindOptions, chain: FlushChain) {
    this.#settings = { ...defaults, ...options };
    this.#engine = options.engine;
    this.#chain = chain;
    this.openedIndex = chain.appliedIndex;
    this.#appliedIndex = chain.appliedIndex;
    this.#durableIndex = chain.appliedIndex;
  }

  /**
   * Verifies that the engine holds every flush up to its applied index. Closes the engine if not.
   *
   * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED, STORAGE_IO
   */
  static async open(options: WriteBehindOptions): Promise<WriteBehindBackend> {
    try {
      return new WriteBehindBackend(options, await FlushChain.open(options.engine));
    } catch (error) {
      // The first failure is the one to tell; a second one while closing adds nothing.
      await options.engine.close().catch(() => undefined);
      throw error;
    }
  }

  get durableIndex(): number {
    return this.#durableIndex;
  }

  read(plan: ReadPlan): ReadSet | Promise<ReadSet> {
    this.#checkOpen();
    const records: (Uint8Array | undefined)[] = [];
    const missing: BinaryString[] = [];
    const places: number[] = [];
    for (const key of plan.keys) {
      const held = this.#held(key);
      if (held === undefined) {
        missing.push(key);
        places.push(records.length);
      }
      records.push(held ?? undefined);
    }
    if (missing.length === 0 && plan.ranges.length === 0) return { records, ranges: [] };
    return this.#fetch(plan, records, missing, places);
  }

  /**
   * @param changes - all of one or more entries; a key twice: the last one counts
   * @param appliedIndex - above that of the call before (0 again while nothing was applied yet)
   * @throws {KontikiError} CLOSED
   */
  apply(changes: readonly Change[], appliedIndex: number): void {
    this.#checkOpen();
    const before = this.#appliedIndex;
    assert(
      appliedIndex > before || (appliedIndex === 0 && before === 0),
      `applied indexes ascend: ${appliedIndex} after ${before}`,
    );
    for (const [key, bytes] of changes) {
      const first = key.charCodeAt(0);
      if (first === ownPrefixes[0] || first === ownPrefixes[1]) {
        assert(false, `keys of the backend itself: ${JSON.stringify(key)}`);
      }
      this.#active.set(key, bytes);
    }
    this.#appliedIndex = appliedIndex;
    this.#isDirty = true;
    this.#schedule();
  }

  ready(): void | Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (!this.#isFull()) return undefined;
    return this.#untilRoom();
  }

  /** @throws {KontikiError} CLOSED; or what the engine failed with, then and ever after */
  async flush(): Promise<void> {
    this.#checkOpen();
    await this.#flushApplied();
  }

  /** @throws {KontikiError} what the engine failed with; it is closed all the same */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** What the overlay says: the record, `null` for deleted, `undefined` for unknown. */
  #held(key: BinaryString): Uint8Array | null | undefined {
    const held = this.#active.get(key);
    return held === undefined ? this.#flushing?.get(key) : held;
  }

  /** All of the overlay and every cursor is taken before the first `await`: one moment's view. */
  async #fetch(
    plan: ReadPlan,
    records: (Uint8Array | undefined)[],
    missing: readonly BinaryString[],
    places: readonly number[],
  ): Promise<ReadSet> {
    const ranges = plan.ranges.map((range) => this.#readRange(range));
    const values = missing.length === 0 ? [] : this.#engine.getMany(missing);
    const [stored, found] =
      ranges.length === 0 ? [await values, []] : await Promise.all([values, Promise.all(ranges)]);
    for (let at = 0; at < places.length; at += 1) records[places[at] as number] = stored[at];
    return { records, ranges: found };
  }

  async #readRange(range: RangeRead): Promise<readonly StoredRecord[]> {
    if (range.gte >= range.lt || (range.limit !== undefined && range.limit <= 0)) return [];
    const layers = this.#flushing === undefined ? [this.#active] : [this.#active, this.#flushing];
    const captured = captureRange(layers, range);
    const { gte, lt, reverse = false } = range;
    const cursor = this.#engine.iterate({ gte, lt, reverse });
    try {
      return await mergeRange(cursor, captured, range);
    } finally {
      await cursor.close();
    }
  }

  #schedule(): void {
    if (this.#inFlight !== undefined || this.#failure !== undefined) return;
    const soon = this.#active.bytes >= this.#settings.flushBytes;
    if (this.#timer !== undefined && (this.#isTimerSoon || !soon)) return;
    this.#timer?.cancel();
    this.#isTimerSoon = soon;
    const { timers, flushIntervalMs } = this.#settings;
    const start = () => {
      this.#timer = undefined;
      if (this.#inFlight === undefined) void this.#start();
    };
    this.#timer = soon ? timers.soon(start) : timers.after(flushIntervalMs, start);
  }

  #start(): Promise<void> {
    assert(this.#inFlight === undefined, 'one flush at a time');
    this.#timer?.cancel();
    this.#timer = undefined;
    const layer = this.#active;
    const to = this.#appliedIndex;
    this.#flushing = layer;
    this.#active = new Overlay();
    this.#isDirty = false;
    this.#startedFlushes += 1;
    this.#inFlight = this.#write(this.#chain.next(layer.changes(), to), to);
    return this.#inFlight;
  }

  async #write(batch: readonly Change[], to: number): Promise<void> {
    try {
      await this.#engine.write(batch, { sync: true });
    } catch (error) {
      this.#inFlight = undefined;
      this.#fail(error);
      return;
    }
    this.#inFlight = undefined;
    this.#flushing = undefined;
    this.#durableIndex = to;
    this.#finishedFlushes += 1;
    if (this.#isDirty && this.#closing === undefined) this.#schedule();
  }

  /** The engine may or may not hold the batch now, so both layers stay for the reads. */
  #fail(cause: unknown): void {
    const error = kontikiErrorOf(cause);
    this.#failure = error;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#settings.onFailed?.(error);
  }

  async #flushApplied(): Promise<void> {
    const target = this.#isDirty ? this.#startedFlushes + 1 : this.#startedFlushes;
    while (this.#failure === undefined) {
      if (this.#finishedFlushes >= target) return;
      await (this.#inFlight ?? this.#start());
    }
    throw this.#failure;
  }

  #isFull(): boolean {
    return this.#active.bytes + (this.#flushing?.bytes ?? 0) >= this.#settings.overlayBytesMax;
  }

  async #untilRoom(): Promise<void> {
    while (this.#failure === undefined) {
      if (!this.#isFull()) return;
      await (this.#inFlight ?? this.#start());
    }
    throw this.#failure;
  }

  async #close(): Promise<void> {
    try {
      await this.#flushApplied();
    } catch (error) {
      await this.#engine.close().catch(() => undefined);
      throw error;
    }
    this.#timer?.cancel();
    await this.#engine.close();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw kontikiError('CLOSED', 'the backend is closed');
  }
}

function kontikiErrorOf(cause: unknown): KontikiError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return isKontikiError(cause) ? cause : kontikiError('STORAGE_IO', what, { cause });
}
