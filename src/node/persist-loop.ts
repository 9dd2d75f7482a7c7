/**
 * Hands writes to the log store and releases their pledges once they are durable (step 5 of the
 * walk). The store groups what arrives while a sync is in flight, and decides what is worth a write
 * of its own: a commit index that moved alone is not.
 *
 * A snapshot among them is installed as a whole before anything behind it is written.
 *
 * A write that waits for space on the disk may do so for hours, while the leader asks for the same
 * acknowledgement with every heartbeat: what says nothing new is counted, and not kept.
 */
import type { Message } from '../raft/messages.js';
import type { StorageAppend } from '../raft/ready.js';
import type { LogStore } from '../storage/log-store.js';

/** What the loop reports. @since 0.1.0 */
export interface PersistHandlers {
  /** A write is durable. Called before its pledges are released; must not throw. */
  onWritten?(append: StorageAppend): void;
  /** Pledges that may leave now, in order. Must not throw. */
  onDurable(responses: readonly Message[]): void;
  /**
   * Makes a write with a snapshot durable, and the state machine with it. One at a time, after all
   * writes before it were handed to the log. Absent: there are none.
   */
  install?(append: StorageAppend): Promise<void>;
  /** The store failed. Called once; nothing is released afterwards. */
  onFailed(error: unknown): void;
}

/** A write on its way. */
interface Write {
  readonly append: StorageAppend;
  /** How often it was asked for, in a row. */
  times: number;
}

/** @since 0.1.0 */
export class PersistLoop {
  readonly #log: LogStore;
  readonly #handlers: PersistHandlers;
  #tail: Promise<void> = Promise.resolve();
  /** The newest write, which settles with `#tail`. */
  #last: Write | undefined;
  /** From a snapshot on, while there is one; the first is under way. */
  #queue: Write[] = [];
  #failed = false;
  #stopped = false;
  #begun = 0;
  #ended = 0;

  constructor(log: LogStore, handlers: PersistHandlers) {
    this.#log = log;
    this.#handlers = handlers;
  }

  /** Whether a write is under way; an install of a snapshot, which takes its time, is none. */
  get isBusy(): boolean {
    return this.#begun > this.#ended;
  }

  /** How many writes are done. */
  get done(): number {
    return this.#ended;
  }

  /** Writes are made durable, and their pledges released, in call order. */
  push(append: StorageAppend): void {
    if (append.snapshot === undefined && this.#queue.length === 0) this.#write(append);
    else if (!countAgain(append, this.#queue.at(-1))) {
      this.#queue.push({ append, times: 1 });
      if (this.#queue.length === 1) this.#installFirst();
    }
  }

  #write(append: StorageAppend, times = 1): void {
    this.#begun += times;
    // The store settles in call order, so pledges without a write wait for the writes before them.
    const settled = this.#log.append(append as StorageAppend & { readonly snapshot?: undefined });
    if (settled === this.#tail && countAgain(append, this.#last, times)) return;
    const write: Write = { append, times };
    this.#last = write;
    this.#tail = settled;
    settled.then(
      () => {
        this.#ended += write.times;
        if (this.#last === write) this.#last = undefined;
        this.#release(write);
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** Never overlaps with itself: the queue is not empty while it runs. */
  #installFirst(): void {
    const write = this.#queue[0] as Write;
    this.#last = undefined;
    this.#tail = this.#tail.then(() => this.#handlers.install?.(write.append));
    this.#tail.then(
      () => {
        if (this.#failed || this.#stopped) return;
        this.#release(write);
        this.#queue.shift();
        this.#writeQueued();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #writeQueued(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (next.append.snapshot !== undefined) return this.#installFirst();
      this.#write(next.append, next.times);
      this.#queue.shift();
    }
  }

  #release({ append, times }: Write): void {
    if (this.#failed) return;
    for (let nth = 0; nth < times; nth += 1) this.#handlers.onWritten?.(append);
    if (append.responses.length > 0) this.#handlers.onDurable(append.responses);
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#handlers.onFailed(error);
  }

  /** Waits for what is in flight; what waits behind a snapshot is not begun. */
  async stop(): Promise<void> {
    this.#stopped = true;
    // A failure was reported by onFailed already.
    await this.#tail.catch(() => undefined);
  }
}

/** Counts a write that brings nothing but the pledges of the one before it; false when it brings more. */
function countAgain(append: StorageAppend, before: Write | undefined, times = 1): boolean {
  const { entries, hardState, responses, snapshot } = append;
  if (before === undefined || entries.length > 0) return false;
  if (hardState !== undefined || snapshot !== undefined) return false;
  if (JSON.stringify(responses) !== JSON.stringify(before.append.responses)) return false;
  before.times += times;
  return true;
}
