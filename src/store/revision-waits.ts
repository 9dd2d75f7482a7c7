/**
 * Reads of local state that must not be of an earlier revision than their callers know of: each waits
 * until this member has applied it.
 */
import type { Timers } from '../base/clock.js';
import { DueHeap, type HeapItem } from '../base/due-heap.js';
import type { KontikiError } from '../base/errors.js';
import { TimedWait, type WaitLimits } from './timed-wait.js';

/** Due at the revision it waits for. */
interface Waiting extends HeapItem {
  readonly wait: TimedWait;
}

/** @since 0.1.0 */
export class RevisionWaits {
  readonly #timers: Timers;
  /** {@link reached} is told of every segment applied: it may look at those alone whose turn it is. */
  readonly #heap = new DueHeap<Waiting>();
  #closed: KontikiError | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /**
   * Resolves once {@link reached} was told `revision` or a later one.
   *
   * @param revision - one that is not there yet
   * @throws {KontikiError} TIMEOUT, OVERLOADED, and what {@link close} was given; `signal.reason`
   */
  wait(revision: number, options: WaitLimits): Promise<void> {
    TimedWait.check(this.#heap.size, options);
    if (this.#closed !== undefined) throw this.#closed;
    const wait = new TimedWait(this.#timers, options, {
      expected: `reach revision ${revision}`,
      onSettled: () => this.#heap.remove(waiting),
    });
    const waiting: Waiting = { wait, due: revision, heapAt: -1 };
    this.#heap.add(waiting);
    return wait.over;
  }

  /** This member has applied everything up to `revision`. */
  reached(revision: number): void {
    this.#settle(revision);
  }

  /** Ends everything, and every later {@link wait}, with `error`. */
  close(error: KontikiError): void {
    this.#closed ??= error;
    this.#settle(Infinity, error);
  }

  #settle(revision: number, error?: KontikiError): void {
    for (;;) {
      const { first } = this.#heap;
      if (first === undefined || first.due > revision) return;
      first.wait.settle(error);
    }
  }
}
