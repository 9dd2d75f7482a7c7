/**
 * The keyspace's store: changes go to an overlay in memory and are answered from there at once; the
 * overlay is written to the engine a little later, as a synced batch with its applied index (DESIGN §4.11,
 * docs/adr/0005-write-behind.md), much history before it. The replicated log makes up for what a crash takes.
 *
 * ```
 *   apply -> active --swap--> flushing --synced--> engine
 *   read  <- active, then flushing, then what was flushed lately, then engine
 * ```
 *
 * `flushing` overrides the engine until its write has settled: an engine read that overlaps may see before or after.
 *
 * `capture` seals the active layer and puts an empty one above it: what a view rests on never changes again.
 *
 * A flush that finds no space waits for some and opens the engine again: the layers have what it may have lost.
 */
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import type { Timer } from '../base/clock.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type {
  Backend,
  Change,
  CountRead,
  RangeRead,
  ReadPlan,
  ReadSet,
  StagedChanges,
  StateView,
  StoredRecord,
} from '../mvcc/backend.js';
import { AppendedKeys } from './appended-changes.js';
import { ChangeLayer } from './change-layer.js';
import { aheadKeys } from './flush-ahead.js';
import { FlushChain } from './flush-chain.js';
import { FlushWriter, flushErrorOf } from './flush-writer.js';
import { FlushedRecords } from './flushed-records.js';
import {
  bytesOf,
  CopiedRange,
  heldIn,
  type Layer,
  LayerCursor,
  prepareForKeys,
  prepareLayers,
  waitingIn,
} from './layers.js';
import { Overlay } from './overlay.js';
import { countOnce, RangeCounter, type ReadPieces } from './range-count.js';
import { mergeRange } from './range-merge.js';
import { ReopenableEngine } from './reopenable-engine.js';
import { StagedLayer } from './staged-layer.js';
import { allKeys, checkStateKey, LayeredView } from './state-view.js';
import {
  type WriteBehindOptions,
  type WriteBehindSettings,
  writeBehindDefaults,
} from './write-behind-options.js';

const noLayers: readonly Layer[] = [];
/** Layers that reads leave behind before they leave longer ones; from half of them on a flush begins early. */
const sealedMax = 16;
/** Deletions that one read may walk over before a flush begins early. */
const deadMax = 256;

/**
 * A {@link Backend} over a {@link KvEngine}.
 *
 * Keys that start with `b` and `f` are its own; the caller's must not. Those that start with `z` sort behind all others,
 * and should ascend: see `flush-ahead.ts`.
 *
 * @since 0.1.0
 */
export class WriteBehindBackend implements Backend {
  readonly openedIndex: number;
  readonly #settings: WriteBehindSettings;
  readonly #appendedKeys: AppendedKeys;
  readonly #engine: ReopenableEngine;
  readonly #writer: FlushWriter;
  /** Takes the changes. */
  #active: ChangeLayer;
  /** Below the active one, newest first: sealed, or published whole, since the last flush began. */
  #sealed: readonly Layer[] = noLayers;
  /** Below those, newest first: on their way to the engine. */
  #flushing: readonly Layer[] = noLayers;
  readonly #counter: RangeCounter | undefined;
  /** Below all layers: what the engine has. */
  readonly #flushed: FlushedRecords | undefined;
  readonly #views = new Set<LayeredView>();
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
  /** The next flush should not wait for its time. */
  #isUrgent = false;
  #failure: KontikiError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: WriteBehindOptions, chain: FlushChain) {
    this.#settings = { ...writeBehindDefaults, ...options };
    this.#appendedKeys = new AppendedKeys(options.appended ?? '');
    this.#active = this.#layer(chain.top);
    this.#engine = new ReopenableEngine(options.engine);
    if (options.counted !== undefined) this.#counter = new RangeCounter(options.counted);
    if (options.kept !== undefined) this.#flushed = new FlushedRecords(options.kept);
    this.#writer = new FlushWriter(chain, {
      engine: this.#engine,
      settings: this.#settings,
      flushed: this.#flushed,
      endViews: async (error) => {
        for (const view of this.#views) await view.end(error);
      },
    });
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
    const slow = this.#appendedKeys.oneOfEach(plan.keys).filter(this.#isSlow);
    return slow.length > 0 ? this.#readSlow(plan, slow) : this.#readNow(plan);
  }

  /** @param unknown - keys that the layers are not asked about; default none */
  #readNow(plan: ReadPlan, unknown?: ReadonlySet<BinaryString>): ReadSet | Promise<ReadSet> {
    const records: (Uint8Array | undefined)[] = [];
    const missing: BinaryString[] = [];
    const places: number[] = [];
    for (const key of plan.keys) {
      const held = unknown?.has(key) === true ? undefined : this.#held(key);
      if (held === undefined) {
        missing.push(key);
        places.push(records.length);
      }
      records.push(held ?? undefined);
    }
    if (plan.ranges.length > 0 || plan.counts !== undefined) {
      return this.#fetch(plan, records, missing, places);
    }
    if (missing.length > 0) {
      // Nothing overlaps with it: what the engine shows now, the overlay overrides now.
      const stored = this.#engine.getNow(missing);
      if (stored === undefined) return this.#fetch(plan, records, missing, places);
      fill(records, places, stored);
    }
    return { records, ranges: [] };
  }

  /**
   * @param changes - all of one or more entries; a key twice: the last one counts
   * @param appliedIndex - not below that of the call before; the same again for changes that nothing
   *   shows, such as the removal of compacted history
   * @param staged - laid over what was applied before, in O(1)
   * @throws {KontikiError} CLOSED
   */
  apply(changes: readonly Change[], appliedIndex: number, staged?: StagedChanges): void {
    this.#checkOpen();
    const before = this.#appliedIndex;
    const isNext = appliedIndex >= before;
    assert(isNext, `applied indexes never go back: ${appliedIndex} after ${before}`);
    if (staged !== undefined) {
      assert(staged instanceof StagedLayer, 'what is staged here is applied here');
      this.#seal();
      this.#sealed = [staged, ...this.#sealed];
      const last = staged.ends(aheadKeys)?.[1] ?? '';
      const { highest } = this.#active.ahead;
      this.#active = this.#layer(last > highest ? last : highest);
      // Counting a million of them here would take as long as applying them.
      const ends = this.#counter === undefined ? undefined : staged.ends(this.#counter.range);
      if (ends !== undefined) this.#counter?.forget(...ends);
    }
    for (const [key, bytes] of changes) {
      checkStateKey(key);
      this.#active.set(key, bytes);
      this.#counter?.changed(key, bytes);
    }
    this.#appliedIndex = appliedIndex;
    this.#isDirty = true;
    this.#schedule();
  }

  stage(): StagedChanges {
    return new StagedLayer(async () => {
      await this.pause();
      this.#checkOpen();
      if (this.#failure !== undefined) throw this.#failure;
    });
  }

  ready(): void | Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (!this.#isFull()) return undefined;
    return this.#untilRoom();
  }

  /** @throws {KontikiError} CLOSED, STORAGE_IO */
  capture(): StateView {
    this.#checkOpen();
    const view: LayeredView = new LayeredView({
      appliedIndex: this.#appliedIndex,
      layers: [...this.#activeForView(), ...this.#sealed, ...this.#flushing],
      cursor: this.#engine.iterate({ ...allKeys, bulk: true }),
      verify: this.#settings.verify,
      pause: this.pause,
      onClose: () => this.#views.delete(view),
    });
    this.#views.add(view);
    return view;
  }

  /** @throws {KontikiError} CLOSED; or what the engine failed with, then and ever after */
  async flush(): Promise<void> {
    this.#checkOpen();
    await this.#flushApplied();
  }

  get hasSpace(): boolean {
    return this.#writer.hasSpace;
  }

  interrupt(): void {
    this.#writer.interrupt();
  }

  /** @throws {KontikiError} what the engine failed with; it is closed all the same */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** With lists that have to be prepared, which `slow` are in: as of now, in layers that do not change any more. */
  async #readSlow(plan: ReadPlan, slow: readonly BinaryString[]): Promise<ReadSet> {
    this.#sealForRead();
    const layers = [...this.#sealed, ...this.#flushing];
    const unknown = new Set(plan.keys.filter((key) => this.#appendedKeys.has(key)));
    const below = this.#readNow(plan, unknown);
    const [reads] = await Promise.all([below, prepareForKeys(layers, this.pause, slow)]);
    const records = plan.keys.map((key, at) => {
      const held = unknown.has(key) ? heldIn(layers, key) : undefined;
      return held === undefined ? reads.records[at] : (held ?? undefined);
    });
    return { ...reads, records };
  }

  /** Whether looking up keys like this one has more to do at once than one turn should. */
  readonly #isSlow = (key: BinaryString): boolean => {
    const layers = [this.#active, ...this.#sealed, ...this.#flushing];
    return waitingIn(layers, key) > this.#turnKeys;
  };

  /** While a flush does not end, layers become twice as long, for many would make each walk slow. */
  get #turnKeys(): number {
    return this.#settings.sortKeysMax * (this.#sealed.length < sealedMax ? 1 : 2);
  }

  /** @param above - see {@link ChangeLayer} */
  #layer(above: BinaryString): ChangeLayer {
    return new ChangeLayer(this.#appendedKeys, this.#settings.sortKeysMax, above);
  }

  /** What is below an empty layer never changes again. */
  #seal(): void {
    if (this.#active.size === 0) return;
    this.#sealed = [this.#active, ...this.#sealed];
    this.#active = this.#layer(this.#active.ahead.highest);
  }

  /** Sealed; or a copy of a few changes: while no flush ends, views would make layers without end. */
  #activeForView(): readonly Layer[] {
    const { sortKeysMax } = this.#settings;
    if (this.#active.size > sortKeysMax || this.#sealed.length < sealedMax) this.#seal();
    return this.#active.size === 0 ? noLayers : [Overlay.copyOf(this.#active, sortKeysMax)];
  }

  /** For a read that has too much to do in one turn. */
  #sealForRead(): void {
    this.#seal();
    // A flush asks each layer about the keys of those below.
    if (this.#sealed.length >= sealedMax / 2) this.#flushSoon();
  }

  /** What does not change any more is sorted and walked in pieces, and not copied. */
  #sealLong(range: RangeRead): void {
    const [size, unsorted] = [this.#active.sizeIn(range), this.#active.unsortedIn(range)];
    const [limit, max] = [range.limit ?? Infinity, this.#turnKeys];
    if (unsorted > max || (size > max && limit > max)) this.#sealForRead();
  }

  /** Reads pay for what is not flushed. */
  #flushSoon(): void {
    this.#isUrgent = true;
    this.#schedule();
  }

  /** What is known here: the record, `null` for deleted, `undefined` for unknown. */
  #held(key: BinaryString): Uint8Array | null | undefined {
    let held = this.#active.get(key);
    if (held === undefined) held = heldIn(this.#sealed, key);
    if (held === undefined) held = heldIn(this.#flushing, key);
    if (held !== undefined) return held;
    return this.#flushed?.get(key);
  }

  /** All of the overlay and every cursor is taken before the first `await`: one moment's view. */
  async #fetch(
    plan: ReadPlan,
    records: (Uint8Array | undefined)[],
    missing: readonly BinaryString[],
    places: readonly number[],
  ): Promise<ReadSet> {
    const ranges = plan.ranges.map((range) => this.#readRange(range));
    const counting = plan.counts?.map((range) => this.#count(range));
    const values = missing.length === 0 ? [] : this.#engine.getMany(missing);
    if (ranges.length === 0 && counting === undefined) {
      fill(records, places, await values);
      return { records, ranges: [] };
    }
    const all = [values, Promise.all(ranges), Promise.all(counting ?? [])] as const;
    const [stored, found, counts] = await Promise.all(all);
    fill(records, places, stored);
    return counting === undefined ? { records, ranges: found } : { records, ranges: found, counts };
  }

  #count(range: CountRead): Promise<number> {
    const counter = this.#counter;
    return counter?.count(range, this.#readPieces) ?? countOnce(range, this.#readPieces);
  }

  readonly #readPieces: ReadPieces = async (range, take) => {
    await this.#readRange(range, take);
  };

  async #readRange(
    range: RangeRead & { readonly bulk?: boolean },
    take?: (records: readonly StoredRecord[]) => void,
  ): Promise<readonly StoredRecord[]> {
    if (range.gte >= range.lt || (range.limit !== undefined && range.limit <= 0)) return [];
    this.#sealLong(range);
    const copied = new CopiedRange(this.#active, range, this.#settings.sortKeysMax);
    const { deletions, isCut } = copied;
    if (isCut) this.#seal();
    const layers = [...this.#sealed, ...this.#flushing];
    const { gte, lt, reverse = false, bulk = false } = range;
    const cursor = this.#engine.iterate({ gte, lt, reverse, bulk });
    try {
      const sorting = prepareLayers(layers, this.pause, range);
      if (sorting !== undefined) await sorting;
      const walk = new LayerCursor(isCut ? layers : [copied, ...layers], range);
      const changes = { cursor: walk, deletions, onDead: this.#onDead };
      return await mergeRange(cursor, changes, range, this.pause, take);
    } finally {
      await cursor.close();
    }
  }

  /** A queue is read at its head: all that was taken from it is walked over, until it is flushed. */
  readonly #onDead = (deletions: number): void => {
    // What is on its way may be what was walked over; the next read tells.
    if (deletions > deadMax && this.#isDirty && this.#inFlight === undefined) this.#flushSoon();
  };

  #schedule(): void {
    if (this.#inFlight !== undefined || this.#failure !== undefined) return;
    const isFull = this.#active.bytes + bytesOf(this.#sealed) >= this.#settings.flushBytes;
    const soon = isFull || this.#isUrgent;
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
    const layers = [this.#active, ...this.#sealed];
    const to = this.#appliedIndex;
    this.#flushing = layers;
    this.#sealed = noLayers;
    this.#active = this.#layer(this.#active.ahead.highest);
    this.#isDirty = false;
    this.#isUrgent = false;
    this.#startedFlushes += 1;
    this.#inFlight = this.#flushLayers(layers, to);
    return this.#inFlight;
  }

  async #flushLayers(layers: readonly Layer[], to: number): Promise<void> {
    try {
      await this.#writer.write(layers, to, this.pause);
      if (this.#flushed !== undefined) await this.#flushed.written(this.pause);
    } catch (error) {
      this.#inFlight = undefined;
      this.#fail(error);
      return;
    }
    this.#inFlight = undefined;
    this.#flushing = noLayers;
    this.#durableIndex = to;
    this.#finishedFlushes += 1;
    if (this.#isDirty && this.#closing === undefined) this.#schedule();
  }

  /** The engine may or may not hold the batch now, so both layers stay for the reads. */
  #fail(cause: unknown): void {
    const error = flushErrorOf(cause);
    this.#failure = error;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#engine.giveUp(error);
    // Another state may have taken its place, with which its owner goes on.
    if (this.#closing === undefined) this.#settings.onFailed?.(error);
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
    const held = this.#active.bytes + bytesOf(this.#sealed) + bytesOf(this.#flushing);
    return held >= this.#settings.overlayBytesMax;
  }

  async #untilRoom(): Promise<void> {
    while (this.#failure === undefined) {
      if (!this.#isFull()) return;
      await (this.#inFlight ?? this.#start());
    }
    throw this.#failure;
  }

  async #close(): Promise<void> {
    this.interrupt();
    // First of all: where cursors see later writes, a flush waits for those of the views.
    for (const view of this.#views) await view.close().catch(() => undefined);
    try {
      await this.#flushApplied();
    } catch (error) {
      await this.#engine.close().catch(() => undefined);
      throw error;
    }
    this.#timer?.cancel();
    await this.#engine.close();
  }

  /** Between two slices of a flush, too: a turn of applies and reads runs first. */
  readonly pause = (): Promise<void> =>
    new Promise((resolve) => {
      this.#settings.timers.soon(resolve);
    });

  #checkOpen(): void {
    if (this.#closing !== undefined) throw kontikiError('CLOSED', 'the backend is closed');
  }
}

function fill(
  records: (Uint8Array | undefined)[],
  places: readonly number[],
  stored: readonly (Uint8Array | undefined)[],
): void {
  for (let at = 0; at < places.length; at += 1) records[places[at] as number] = stored[at];
}
