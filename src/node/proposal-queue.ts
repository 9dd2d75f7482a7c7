/**
 * The waiters that are to be handed over, and those that wait for a session first.
 *
 * A session keeps a bounded number of answers, so numbers far above the lowest open one have to wait.
 * Whoever is lowest therefore must never stand behind one that waits for it: those to be sent again
 * are held in the order of their numbers, whichever order they came back in.
 */
import type { Waiter } from './waiter.js';

/** @since 0.1.0 */
export class ProposalQueue {
  /** Not handed over yet, by number. A set, as all here, so that those that give up leave nothing. */
  readonly #fresh = new Set<Waiter>();
  /** To be handed over again, ahead of those: they have waited longest. */
  #again = new Set<Waiter>();
  #isSorted = true;
  /** The number added to {@link #again} last. */
  #lastSeq = 0;
  readonly #parked = new Set<Waiter>();
  /** Those of {@link #fresh} that only this member may take. */
  readonly #own = new Set<Waiter>();

  /** Waiters that may be handed over. */
  get size(): number {
    return this.#again.size + this.#fresh.size;
  }

  /** Waiters that need a session. */
  get parked(): Iterable<Waiter> {
    return this.#parked;
  }

  get hasParked(): boolean {
    return this.#parked.size > 0;
  }

  /** Those that only this member may take. */
  get own(): Iterable<Waiter> {
    return this.#own;
  }

  /** Adds one that was opened just now. */
  add(waiter: Waiter): void {
    this.#fresh.add(waiter);
    if (waiter.ownTerm !== undefined) this.#own.add(waiter);
  }

  /** Adds one ahead of those that were never handed over; what opens a session goes before all others. */
  addAgain(waiter: Waiter): void {
    const isInOrder = waiter.encode !== undefined && waiter.seq > this.#lastSeq;
    if (this.#again.size > 0 && !isInOrder) this.#isSorted = false;
    this.#lastSeq = waiter.seq;
    this.#again.add(waiter);
  }

  /** It waits for a session from now on. */
  park(waiter: Waiter): void {
    this.delete(waiter);
    this.#parked.add(waiter);
  }

  /** There is a session. */
  unpark(): void {
    for (const waiter of this.#parked) this.addAgain(waiter);
    this.#parked.clear();
  }

  /** It is handed over, or has come to an end. */
  delete(waiter: Waiter): void {
    this.#own.delete(waiter);
    for (const set of [this.#again, this.#fresh, this.#parked]) if (set.delete(waiter)) return;
  }

  /** Who comes first: one list after the other, each to be gone through until somebody has to wait. */
  get lists(): readonly Iterable<Waiter>[] {
    if (!this.#isSorted) this.#sort();
    return [this.#again, this.#fresh];
  }

  #sort(): void {
    const rank = ({ encode, seq }: Waiter) => (encode === undefined ? 0 : seq);
    const sorted = [...this.#again].sort((a, b) => rank(a) - rank(b));
    this.#again = new Set(sorted);
    this.#lastSeq = sorted.at(-1)?.seq ?? 0;
    this.#isSorted = true;
  }
}
