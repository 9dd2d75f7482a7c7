/**
 * One simulated engine on its medium: a state, and the last batches that led to it as the engine's own
 * log would still hold them.
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
  /** How many of the batches in `#log` are synced. */
  #syncedCount = 0;

  /** The newest state. */
  get view(): EngineView {
    return this.#log.at(-1)?.after ?? this.#base;
  }

  /** Adds a batch; `sync` makes it and all before it durable. */
  write(changes: Changes, sync: boolean): void {
    this.#log.push({ changes, after: this.view.with(changes) });
    if (!sync || this.lyingSyncs) return;
    this.#syncedCount = this.#log.length;
    while (this.#syncedCount > logBatchesMax) {
      this.#base = (this.#log.shift() as LoggedBatch).after;
      this.#syncedCount -= 1;
    }
  }

  /** Loses power; `draw(n)` is uniform in [0, n). */
  crash(draw: (bound: number) => number): void {
    this.writeFault = undefined;
    const unsynced = this.#log.length - this.#syncedCount;
    this.#log.length = this.#syncedCount + draw(unsynced + 1);
    this.#syncedCount = this.#log.length;
  }

  /** Flips the lowest bit of one byte of a value, in every state from now on. */
  flipBit(key: BinaryString, offset: number): boolean {
    const value = this.view.get(key);
    if (value === undefined || offset >= value.length) return false;
    const damaged = value.slice();
    damaged[offset]! ^= 1;
    this.#base = this.view.with([[key, damaged]]);
    this.#log = [];
    this.#syncedCount = 0;
    return true;
  }

  /** Drops the batch `back` batches before the newest and applies the later ones without it. */
  dropBatch(back: number): boolean {
    const at = this.#log.length - 1 - back;
    if (at < 0) return false;
    const later = this.#log.splice(at).slice(1);
    this.#syncedCount = Math.min(this.#syncedCount, at);
    for (const { changes } of later) this.write(changes, true);
    return true;
  }
}
