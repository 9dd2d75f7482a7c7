/**
 * Hands committed entries to the state machine, in index order, one batch at a time, off the write
 * path (step 8 of the walk).
 */
import { assert } from '../base/assert.js';
import { Deferred } from '../base/deferred.js';
import { kontikiError } from '../base/errors.js';
import type { StorageApply } from '../raft/ready.js';
import type { Entry } from '../raft/types.js';
import type { ApplyResult, RequestId, StateMachine } from './state-machine.js';

/** What the loop reports. @since 0.1.0 */
export interface ApplyHandlers {
  /** What has to be durable before the state machine is given these entries, if anything. */
  beforeApply?(entries: readonly Entry[]): Promise<unknown> | undefined;
  /** Whether a waiter is open for a proposal. */
  readonly isAwaited?: (id: RequestId) => boolean;
  /** A batch is applied. Must not throw. */
  onApplied(batch: StorageApply, results: readonly ApplyResult[]): void;
  /** The state machine failed; nothing more is applied. */
  onFailed(error: unknown): void;
}

/** Something that the state machine must not be changed under. */
interface Task {
  run(): Promise<void>;
  cancel(): void;
}

const noData = new Uint8Array(0);

/** @since 0.1.0 */
export class ApplyLoop {
  readonly #machine: Pick<StateMachine, 'apply'>;
  readonly #handlers: ApplyHandlers;
  readonly #queue: (StorageApply | Task)[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;
  #isApplying = false;
  #done = 0;

  constructor(machine: Pick<StateMachine, 'apply'>, handlers: ApplyHandlers) {
    this.#machine = machine;
    this.#handlers = handlers;
  }

  /** Whether a batch is under way; a task is none. */
  get isBusy(): boolean {
    return this.#isApplying;
  }

  /** How many batches are applied. */
  get done(): number {
    return this.#done;
  }

  /** Queues a batch. The core bounds what is queued by its apply budget. */
  push(batch: StorageApply): void {
    this.#queue.push(batch);
    this.#running ??= this.#run();
  }

  /**
   * Runs a task behind all batches queued so far, and none beside it.
   *
   * @returns what it returned; rejects with what it threw, and with CLOSED when the loop stops before
   */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    const done = new Deferred<T>();
    const cancel = () => done.reject(kontikiError('CLOSED', 'apply: the loop was stopped'));
    if (this.#stopped) cancel();
    else {
      const run = async () => {
        try {
          done.resolve(await task());
        } catch (error) {
          done.reject(error);
        }
      };
      this.#queue.push({ run, cancel });
      this.#running ??= this.#run();
    }
    return done.promise;
  }

  /** Finishes the batch or task under way and begins no other. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#cancelTasks();
  }

  #cancelTasks(): void {
    for (const item of this.#queue.splice(0)) if ('run' in item) item.cancel();
  }

  async #run(): Promise<void> {
    // What the turn sends and writes is on its way before the state machine takes its time: log and
    // peers work meanwhile (ADR 0022).
    await Promise.resolve();
    try {
      for (;;) {
        if (this.#stopped) break;
        const batch = this.#queue.shift();
        if (batch === undefined) break;
        if ('run' in batch) {
          await batch.run();
          continue;
        }
        this.#isApplying = true;
        const prepared = this.#handlers.beforeApply?.(batch.entries);
        if (prepared !== undefined) await prepared;
        const entries = prepared === undefined ? batch.entries : batch.entries.map(asNormal);
        const results = await this.#machine.apply(entries, this.#handlers.isAwaited);
        assert(results.length === batch.entries.length, 'apply: one result per entry');
        this.#isApplying = false;
        this.#done += 1;
        this.#handlers.onApplied(batch, results);
      }
    } catch (error) {
      this.#stopped = true;
      this.#cancelTasks();
      this.#handlers.onFailed(error);
    } finally {
      this.#running = undefined;
    }
  }
}

/** Changes of the membership are the node's: to the state machine they are like entries without a command. */
function asNormal(entry: Entry): Entry {
  return entry.type === 'normal' ? entry : { ...entry, type: 'normal', data: noData };
}
