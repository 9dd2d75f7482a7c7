/** Snapshots in memory, beside a medium that can lose what was not committed. */
import { kontikiError } from '../../base/errors.js';
import type { ConfState } from '../../raft/configuration.js';
import type { LogId } from '../../raft/types.js';
import type { SnapshotMeta, SnapshotSink, SnapshotStore } from '../snapshot-store.js';

interface Stored {
  readonly meta: SnapshotMeta;
  readonly chunks: readonly Uint8Array[];
}

/**
 * A {@link SnapshotStore} that holds everything in memory.
 *
 * @since 0.1.0
 */
export class MemorySnapshotStore implements SnapshotStore {
  readonly #keep: number;
  /** Oldest first. */
  #stored: Stored[] = [];
  #sink: MemorySink | undefined;
  readonly #reading = new Map<Stored, number>();
  #isClosed = false;

  /**
   * @param options.keep - snapshots that `prune` leaves; default 1
   */
  constructor(options: { readonly keep?: number } = {}) {
    this.#keep = options.keep ?? 1;
  }

  /** @throws {KontikiError} CLOSED */
  async latest(): Promise<SnapshotMeta | undefined> {
    this.#checkOpen();
    return this.#stored.at(-1)?.meta;
  }

  /** @throws {KontikiError} CLOSED */
  async list(): Promise<readonly SnapshotMeta[]> {
    this.#checkOpen();
    return this.#stored.map(({ meta }) => meta).reverse();
  }

  /** @throws {KontikiError} ARGUMENT_INVALID, CLOSED */
  async create(last: LogId, configuration: ConfState): Promise<SnapshotSink> {
    this.#checkOpen();
    if (this.#sink !== undefined) {
      throw kontikiError('ARGUMENT_INVALID', 'expected one snapshot to be written at a time');
    }
    const sink = new MemorySink(
      (chunks) => this.#add({ last, configuration, size: sizeOf(chunks) }, chunks),
      () => {
        this.#sink = undefined;
      },
    );
    this.#sink = sink;
    return sink;
  }

  read(meta: SnapshotMeta): AsyncIterable<Uint8Array> {
    this.#checkOpen();
    return { [Symbol.asyncIterator]: () => this.#iterate(meta) };
  }

  /** @throws {KontikiError} CLOSED */
  async remove(meta: SnapshotMeta): Promise<void> {
    this.#checkOpen();
    this.#stored = this.#stored.filter((other) => !isSame(other.meta.last, meta.last));
  }

  /** @throws {KontikiError} CLOSED */
  async prune(): Promise<void> {
    this.#checkOpen();
    const newest = this.#stored.slice(-this.#keep);
    this.#stored = this.#stored.filter((one) => newest.includes(one) || this.#reading.has(one));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#sink?.discard();
  }

  /**
   * The machine goes down: what was not committed is gone, and this store, which belonged to the
   * process that died, is closed. {@link reopen} is the next process.
   */
  crash(): void {
    this.#isClosed = true;
    this.#sink?.kill();
  }

  /** The store of the next process, over what this one left behind. Closes this one. */
  reopen(): MemorySnapshotStore {
    this.crash();
    const next = new MemorySnapshotStore({ keep: this.#keep });
    next.#stored = [...this.#stored];
    return next;
  }

  #add(meta: SnapshotMeta, chunks: readonly Uint8Array[]): SnapshotMeta {
    const others = this.#stored.filter((other) => !isSame(other.meta.last, meta.last));
    const isOlder = ({ meta: { last } }: Stored): boolean =>
      last.index < meta.last.index ||
      (last.index === meta.last.index && last.term < meta.last.term);
    const at = others.filter(isOlder).length;
    this.#stored = others.toSpliced(at, 0, { meta, chunks });
    return meta;
  }

  #iterate(meta: SnapshotMeta): AsyncIterator<Uint8Array, undefined> {
    const found = this.#stored.find((one) => isSame(one.meta.last, meta.last));
    if (found === undefined) {
      throw kontikiError('ARGUMENT_INVALID', 'expected a snapshot that exists');
    }
    let at = 0;
    let isOpen = false;
    const count = (by: number): void => {
      const readers = (this.#reading.get(found) ?? 0) + by;
      if (readers === 0) this.#reading.delete(found);
      else this.#reading.set(found, readers);
      isOpen = by > 0;
    };
    const end = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      if (isOpen) count(-1);
      at = Number.POSITIVE_INFINITY;
      return { done: true, value: undefined };
    };
    return {
      next: async () => {
        if (at === 0 && !isOpen) count(1);
        const value = found.chunks[at];
        at += 1;
        return value === undefined ? end() : { done: false, value };
      },
      return: end,
    };
  }

  #checkOpen(): void {
    if (this.#isClosed) throw kontikiError('CLOSED', 'the memory snapshot store is closed');
  }
}

class MemorySink implements SnapshotSink {
  readonly #commit: (chunks: readonly Uint8Array[]) => SnapshotMeta;
  readonly #onEnd: () => void;
  readonly #chunks: Uint8Array[] = [];
  #hasEnded = false;

  constructor(commit: (chunks: readonly Uint8Array[]) => SnapshotMeta, onEnd: () => void) {
    this.#commit = commit;
    this.#onEnd = onEnd;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkOpen();
    if (chunk.length > 0) this.#chunks.push(chunk.slice());
  }

  async commit(): Promise<SnapshotMeta> {
    this.#checkOpen();
    // Durable when the promise settles, not before: a crash between the two loses it.
    await Promise.resolve();
    this.#checkOpen();
    const meta = this.#commit(this.#chunks);
    this.kill();
    return meta;
  }

  async discard(): Promise<void> {
    this.kill();
  }

  kill(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#onEnd();
  }

  #checkOpen(): void {
    if (this.#hasEnded) throw kontikiError('CLOSED', 'the snapshot is committed or discarded');
  }
}

function sizeOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

function isSame(a: LogId, b: LogId): boolean {
  return a.index === b.index && a.term === b.term;
}
