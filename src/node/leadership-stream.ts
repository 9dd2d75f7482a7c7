/**
 * The leaderships of a member, one after the other, for one consumer. Written by hand, not as an async
 * generator, so that a waiting `next()` can be settled from outside and traces replay on every Node
 * version. It holds nothing back: who comes late gets what is true then.
 */
import { asyncDispose } from '../base/async-dispose.js';
import { Deferred } from '../base/deferred.js';
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import type { Leadership } from './leadership.js';

/** Who made a {@link LeadershipStream}. */
interface StreamOwner {
  readonly current: () => Leadership | undefined;
  /** Called at the end, once or more. */
  readonly forget: (stream: LeadershipStream) => void;
}

type Next = IteratorResult<Leadership, undefined>;

const finished: Next = { done: true, value: undefined };

/**
 * Yields each leadership of this member, its term never twice; those that were lost before they were
 * asked for are left out. Calls of `next()` may not overlap.
 *
 * @since 0.1.0
 * @example for await (const { term, lost } of node.leadership()) await serve(term, lost);
 */
export class LeadershipStream implements AsyncIterableIterator<Leadership>, AsyncDisposable {
  readonly #owner: StreamOwner;
  /** Of the last one that was yielded. */
  #term = 0;
  #waiting: Deferred<Next> | undefined;
  #isEnded = false;
  /** Thrown once. */
  #error: KontikiError | undefined;

  constructor(owner: StreamOwner) {
    this.#owner = owner;
  }

  /**
   * @throws {KontikiError} ITERATOR_BUSY when one waits already; why the member stopped, once. A
   *   closed member ends the iteration without an error
   */
  async next(): Promise<Next> {
    if (this.#waiting !== undefined) {
      throw kontikiError('ITERATOR_BUSY', 'a next() is waiting already');
    }
    const waiting = new Deferred<Next>();
    this.#waiting = waiting;
    if (this.#isEnded) this.#settleEnd();
    else this.offer();
    return waiting.promise;
  }

  /** Ends the iteration. What was yielded goes on until it is lost. */
  async return(): Promise<Next> {
    this.end();
    return finished;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Same as {@link return}. */
  async [asyncDispose](): Promise<void> {
    this.end();
  }

  /** There may be something new. The owner's. */
  offer(): void {
    const leadership = this.#owner.current();
    if (this.#waiting === undefined || leadership === undefined) return;
    if (leadership.term === this.#term) return;
    this.#term = leadership.term;
    this.#settle({ done: false, value: leadership });
  }

  /**
   * Ends it. The owner's, or the consumer's.
   *
   * @param error - why the member stopped
   */
  end(error?: KontikiError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (error !== undefined && !isKontikiError(error, 'CLOSED')) this.#error = error;
    this.#owner.forget(this);
    this.#settleEnd();
  }

  #settleEnd(): void {
    const error = this.#error;
    if (this.#waiting === undefined) return;
    if (error === undefined) return this.#settle(finished);
    this.#error = undefined;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting.reject(error);
  }

  #settle(next: Next): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(next);
  }
}
