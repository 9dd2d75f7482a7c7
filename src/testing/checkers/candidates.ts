/**
 * Which operations may be linearized next: those that were called before the first answer among all
 * that are not linearized yet. Linearizing lifts an operation out of a linked list of calls and
 * answers in order of time, and undoing it puts it back into its place (Lowe, "Testing for
 * linearizability", 2017, after Wing and Gong).
 *
 * Operations without an answer stand in a list of their own and come last: they need not happen at
 * all, so a search that tries them first makes worlds that nobody asked for.
 */
import { eventsInOrder } from './events.js';
import type { History } from './operation.js';

const none = -1;

/**
 * The candidates of one moment of a search.
 *
 * @since 0.1.0
 */
export class Candidates {
  /** Operations with an answer in order of their answers, then the others in order of their calls. */
  readonly order: readonly number[];
  /** How many operations have an answer. */
  readonly answered: number;
  /** Event `i` is the call of operation `i`, event `n + i` its answer; two heads follow. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Place of each event in time. */
  readonly #place: Int32Array;
  readonly #count: number;
  readonly #isPending: Uint8Array;

  /**
   * @param history - operations are named by their place in it
   */
  constructor(history: History<unknown, unknown>) {
    const count = history.length;
    this.#count = count;
    this.#next = new Int32Array(2 * count + 2).fill(none);
    this.#previous = new Int32Array(2 * count + 2).fill(none);
    this.#place = new Int32Array(2 * count);
    this.#isPending = Uint8Array.from(history, ({ returnAt }) => (returnAt === Infinity ? 1 : 0));
    const [answeredOrder, pendingOrder] = this.#link(eventsInOrder(history));
    this.order = [...answeredOrder, ...pendingOrder];
    this.answered = answeredOrder.length;
  }

  /** The first candidate; `-1` when there is none. */
  first(): number {
    const event = this.#next[2 * this.#count] as number;
    return event !== none && event < this.#count ? event : this.#firstPending();
  }

  /** The candidate that follows `operation`; `-1` when there is none. */
  after(operation: number): number {
    const event = this.#next[operation] as number;
    if (this.isPending(operation)) return this.#ifInTime(event);
    return event < this.#count ? event : this.#firstPending();
  }

  /** The operation whose answer comes first; `-1` when all that are left have none. */
  firstAnswered(): number {
    let event = this.#next[2 * this.#count] as number;
    while (event !== none && event < this.#count) event = this.#next[event] as number;
    return event === none ? none : event - this.#count;
  }

  /** Whether an operation has no answer. */
  isPending(operation: number): boolean {
    return this.#isPending[operation] === 1;
  }

  /** Takes an operation out: it is linearized. */
  lift(operation: number): void {
    this.#unlink(operation);
    if (!this.isPending(operation)) this.#unlink(this.#count + operation);
  }

  /** Puts the operation back that was lifted last. */
  restore(operation: number): void {
    if (!this.isPending(operation)) this.#relink(this.#count + operation);
    this.#relink(operation);
  }

  #firstPending(): number {
    return this.#ifInTime(this.#next[2 * this.#count + 1] as number);
  }

  /** An operation without an answer is a candidate when it was called before the first answer. */
  #ifInTime(pending: number): number {
    if (pending === none) return none;
    const barrier = this.firstAnswered();
    if (barrier === none) return none;
    const isBefore =
      (this.#place[pending] as number) < (this.#place[this.#count + barrier] as number);
    return isBefore ? pending : none;
  }

  #link(events: Int32Array): [number[], number[]] {
    const count = this.#count;
    const tails = [2 * count, 2 * count + 1];
    const answeredOrder: number[] = [];
    const pendingOrder: number[] = [];
    events.forEach((event, place) => {
      const list = this.#isPending[event % count] as number;
      this.#place[event] = place;
      this.#previous[event] = tails[list] as number;
      this.#next[tails[list] as number] = event;
      tails[list] = event;
      if (event >= count) answeredOrder.push(event - count);
      else if (list === 1) pendingOrder.push(event);
    });
    return [answeredOrder, pendingOrder];
  }

  #unlink(event: number): void {
    const before = this.#previous[event] as number;
    const behind = this.#next[event] as number;
    this.#next[before] = behind;
    if (behind !== none) this.#previous[behind] = before;
  }

  #relink(event: number): void {
    const behind = this.#next[event] as number;
    this.#next[this.#previous[event] as number] = event;
    if (behind !== none) this.#previous[behind] = event;
  }
}
