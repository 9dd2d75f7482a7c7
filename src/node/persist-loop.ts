/**
 * Hands writes to the log store and releases their pledges once they are durable (step 5 of the
 * walk). The store groups what arrives while a sync is in flight.
 */
import type { Message } from '../raft/messages.js';
import type { StorageAppend } from '../raft/ready.js';
import type { HardState } from '../raft/types.js';
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
  /** Commit index that was not worth a write of its own; it travels with the next one. */
  #deferred: HardState | undefined;
  #inFlight = 0;
  #tail: Promise<void> = Promise.resolve();
  #failed = false;

  constructor(log: LogStore, handlers: PersistHandlers) {
    this.#log = log;
    this.#handlers = handlers;
  }

  /** Writes are made durable, and their pledges released, in call order. */
  push(append: StorageAppend): void {
    const hardState = append.hardState ?? this.#deferred;
    if (append.mustSync) {
      this.#deferred = undefined;
      this.#write({ ...append, ...(hardState && { hardState }) });
      return;
    }
    // Only the commit index moved. It may be lost: after a restart the leader tells it again.
    this.#deferred = hardState;
    const { responses } = append;
    if (responses.length === 0) return;
    if (this.#inFlight === 0) this.#release(responses);
    else this.#await(this.#tail, responses);
  }

  #write(append: StorageAppend): void {
    const { responses, ...batch } = append;
    this.#await(this.#log.append(batch), responses);
  }

  #await(durable: Promise<void>, responses: readonly Message[]): void {
    this.#inFlight += 1;
    this.#tail = durable;
    durable.then(
      () => {
        this.#inFlight -= 1;
        this.#release(responses);
      },
      (error: unknown) => {
        this.#inFlight -= 1;
        if (this.#failed) return;
        this.#failed = true;
        this.#handlers.onFailed(error);
      },
    );
  }

  #release(responses: readonly Message[]): void {
    if (!this.#failed && responses.length > 0) this.#handlers.onDurable(responses);
  }

  /** Waits for what is in flight and writes the deferred commit index, if the store still can. */
  async stop(): Promise<void> {
    try {
      await this.#tail;
      const hardState = this.#deferred;
      if (hardState === undefined || this.#failed) return;
      await this.#log.append({ hardState, entries: [], mustSync: true });
    } catch {
      // Reported by onFailed already; the deferred commit index is a mere convenience.
    }
  }
}
