/**
 * One simulated engine on its medium: a state, and the last batches that led to it as the engine's own
 * logs would still hold them.
 *
 * LevelDB begins a new log when its write buffer is full, and does not sync the one before: a later sync
 * is of the new log alone. Until the buffer is in a table, which it waits for before it begins the log
 * after that one, a loss of power may take the end of the old log and leave all of the new one.
 */
import type { BinaryString } from '../base/bytes.js';
import { EngineView } from './engine-view.js';

/** Batches of which an engine's own log still knows, so that one of them can be damaged. */
const logBatchesMax = 64;

/** A batch as it was handed over. */
type Changes = ReadonlyMap<BinaryString, Uint8Array | undefined>;

interface LoggedBatch {
  readonly changes: Changes;
  readonly after: EngineView;
  /** Number of the engine's log that holds it. */
  readonly log: number;
  isDurable: boolean;
}

/**
 * How a write of an engine fails.
 *
 * @since 0.1.0
 */
export interface WriteFault {
  readonly code: 'STORAGE_IO' | 'NO_SPACE';
  /** Whether the batch got there all the same, unsynced: the writer cannot know. Default false. */
  readonly kept?: boolean | undefined;
}

/**
 * One engine on the medium; `SimEngine` is a process's view of it.
 *
 * @since 0.1.0
 */
export class StoredEngine {
  /** Whether a living process has it open. */
  opened = false;
  /** How the next write fails, if it does. */
  writeFault: WriteFault | undefined;
  /** Whether synced batches are only said to be synced. */
  lyingSyncs = false;
  #base: EngineView = EngineView.empty;
  #log: LoggedBatch[] = [];
  /** Number of the engine's newest log. */
  #newest = 0;

  /** The newest state. */
  get view(): EngineView {
    return this.#log.at(-1)?.after ?? this.#base;
  }

  /** Adds a batch; `sync` makes it durable, and all before it in the same log of the engine. */
  write(changes: Changes, sync: boolean): void {
    const after = this.view.with(changes);
    this.#log.push({ changes, after, log: this.#newest, isDurable: false });
    if (!sync || this.lyingSyncs) return;
    for (const batch of this.#log) if (batch.log === this.#newest) batch.isDurable = true;
    while (this.#log.length > logBatchesMax && this.#log[0]?.isDurable === true) {
      this.#base = (this.#log.shift() as LoggedBatch).after;
    }
  }

  /** The engine begins another log with its next batch. */
  beginLog(): void {
    if (this.lyingSyncs) return;
    for (const batch of this.#log) if (batch.log < this.#newest) batch.isDurable = true;
    this.#newest += 1;
  }

  /** An engine of its own with the newest state, all of it durable. */
  copy(): StoredEngine {
    const copy = new StoredEngine();
    copy.#base = this.view;
    return copy;
  }

  /** Loses power; `draw(n)` is uniform in [0, n). */
  crash(draw: (bound: number) => number): void {
    this.writeFault = undefined;
    const kept = new Map<number, number>();
    for (const { isDurable, log } of this.#log) {
      if (!isDurable) kept.set(log, (kept.get(log) ?? 0) + 1);
    }
    if (kept.size === 0) return;
    for (const [log, volatile] of kept) kept.set(log, draw(volatile + 1));
    const before = this.#log;
    this.#log = [];
    for (const batch of before) {
      const left = kept.get(batch.log) ?? 0;
      if (!batch.isDurable && left === 0) continue;
      if (!batch.isDurable) kept.set(batch.log, left - 1);
      this.#log.push({ ...batch, after: this.view.with(batch.changes), isDurable: true });
    }
  }

  /** Flips the lowest bit of one byte of a value, in every state from now on. */
  flipBit(key: BinaryString, offset: number): boolean {
    const value = this.view.get(key);
    if (value === undefined || offset >= value.length) return false;
    const damaged = value.slice();
    damaged[offset]! ^= 1;
    this.#base = this.view.with([[key, damaged]]);
    this.#log = [];
    return true;
  }

  /** Drops the batch `back` batches before the newest and applies the later ones without it. */
  dropBatch(back: number): boolean {
    const at = this.#log.length - 1 - back;
    if (at < 0) return false;
    const later = this.#log.splice(at).slice(1);
    for (const { changes } of later) this.write(changes, true);
    return true;
  }
}
