/**
 * Hands committed entries to the state machine, in index order, one batch at a time, off the write
 * path (step 8 of the walk).
 */
import { assert } from '../base/assert.js';
import type { StorageApply } from '../raft/ready.js';
import type { ApplyResult, StateMachine } from './state-machine.js';

/** What the loop reports. @since 0.1.0 */
export interface ApplyHandlers {
  /** A batch is applied. Must not throw. */
  onApplied(batch: StorageApply, results: readonly ApplyResult[]): void;
  /** The state machine failed; nothing more is applied. */
  onFailed(error: unknown): void;
}

/** @since 0.1.0 */
export class ApplyLoop {
  readonly #machine: StateMachine;
  readonly #handlers: ApplyHandlers;
  readonly #queue: StorageApply[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(machine: StateMachine, handlers: ApplyHandlers) {
    this.#machine = machine;
    this.#handlers = handlers;
  }

  /** Queues a batch. The core bounds what is queued by its apply budget. */
  push(batch: StorageApply): void {
    this.#queue.push(batch);
    this.#running ??= this.#run();
  }

  /** Finishes the batch under way and applies no other. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const batch = this.#queue.shift();
        if (batch === undefined || this.#stopped) break;
        const results = await this.#machine.apply(batch.entries);
        assert(results.length === batch.entries.length, 'apply: one result per entry');
        this.#handlers.onApplied(batch, results);
      }
    } catch (error) {
      this.#stopped = true;
      this.#handlers.onFailed(error);
    } finally {
      this.#running = undefined;
    }
  }
}
