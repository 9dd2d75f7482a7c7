/**
 * Hands writes to the log store and releases their pledges once they are durable (step 5 of the
 * walk). The store groups what arrives while a sync is in flight, and decides what is worth a write
 * of its own: a commit index that moved alone is not.
 */
import type { Message } from '../raft/messages.js';
import type { StorageAppend } from '../raft/ready.js';
import type { LogStore } from '../storage/log-store.js';

/** What the loop reports. @since 0.1.0 */
export interface PersistHandlers {
  /** Pledges that may leave now, in order. Must not throw. */
  onDurable(responses: readonly Message[]): void;
  /** The store failed. Called once; nothing is released afterwards. */
  onFailed(error: unknown): void;
}

/** @since 0.1.0 */
export class PersistLoop {
  readonly #log: LogStore;
  readonly #handlers: PersistHandlers;
  #tail: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(log: LogStore, handlers: PersistHandlers) {
    this.#log = log;
    this.#handlers = handlers;
  }

  /** Writes are made durable, and their pledges released, in call order. */
  push(append: StorageAppend): void {
    // The store settles in call order, so pledges without a write wait for the writes before them.
    this.#tail = this.#log.append(append);
    this.#tail.then(
      () => this.#release(append.responses),
      (error: unknown) => this.#fail(error),
    );
  }

  #release(responses: readonly Message[]): void {
    if (!this.#failed && responses.length > 0) this.#handlers.onDurable(responses);
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#handlers.onFailed(error);
  }

  /** Waits for what is in flight. */
  async stop(): Promise<void> {
    // A failure was reported by onFailed already.
    await this.#tail.catch(() => undefined);
  }
}
