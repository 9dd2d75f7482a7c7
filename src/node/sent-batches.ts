/**
 * Batches that were handed over and whose end is not known, and how much of them is on its way to other
 * members.
 *
 * Answers to heartbeats and appends take the same way as what is forwarded. A leader that hears none for
 * an election timeout, because they stand behind a burst of writes, gives up, and all of the burst is sent
 * again: so what is on its way to a member is bounded, and the rest waits here.
 *
 * A batch travels in one message. It is on its way until any of it is applied here, until it is refused or
 * lost, or for an election timeout, whichever ends first. That its callers give up takes nothing off the way.
 */

import type { MemberId } from '../raft/types.js';
import { nodeLimits } from './node-limits.js';
import type { SentBatch } from './waiter.js';

/** However little a leader waits. */
const forwardBytesMin = 65_536;

/** Bytes that a batch may have. @since 0.1.0 */
export interface Room {
  /** Its first command: of any length, when nothing else is on its way. */
  readonly ofFirst: number;
  /** All of them, when they are several. */
  readonly ofAll: number;
}

/** @since 0.1.0 */
export class SentBatches {
  /** Somebody waits for some of it, or it is on its way. */
  readonly #batches = new Map<number, SentBatch>();
  /** Bytes on their way, by where to. */
  readonly #bytes = new Map<MemberId, number>();
  #id: number;
  readonly #bytesMax: number;

  /**
   * @param id - below the name of the first batch
   * @param electionMs - milliseconds for which a leader waits for answers
   */
  constructor(id: number, electionMs: number) {
    this.#id = id;
    this.#bytesMax = forwardBytesMax(electionMs);
  }

  /** A copy: batches may be added and end while it is gone through. */
  get all(): readonly SentBatch[] {
    return [...this.#batches.values()];
  }

  get(id: number): SentBatch | undefined {
    return this.#batches.get(id);
  }

  /**
   * What may be added to what is on its way to a member.
   *
   * @param to - 0: to the own log, which is no way
   */
  roomTo(to: MemberId): Room {
    if (to === 0) return { ofFirst: Infinity, ofAll: Infinity };
    const bytes = this.#bytesTo(to);
    const room = this.#bytesMax - bytes;
    return { ofFirst: bytes === 0 ? Infinity : room, ofAll: room };
  }

  /** The name of the next batch: one above that of the batch before. */
  nextId(): number {
    this.#id = this.#id === Number.MAX_SAFE_INTEGER ? 1 : this.#id + 1;
    return this.#id;
  }

  /** It is handed over. */
  add(batch: SentBatch): void {
    this.#batches.set(batch.id, batch);
    this.#count(batch.to, batch.bytes);
  }

  /** Nobody waits for one of its proposals any more; see {@link arrived} for whether it is on its way. */
  left(batch: SentBatch): void {
    batch.open -= 1;
    this.#forget(batch);
  }

  /** It is not on its way any more: it arrived, or never will. Known more than once of most. */
  arrived(batch: SentBatch): void {
    this.#count(batch.to, -batch.bytes);
    batch.bytes = 0;
    this.#forget(batch);
  }

  #bytesTo(to: MemberId): number {
    return this.#bytes.get(to) ?? 0;
  }

  #forget(batch: SentBatch): void {
    if (batch.open === 0 && batch.bytes === 0) this.#batches.delete(batch.id);
  }

  #count(to: MemberId, bytes: number): void {
    const sum = this.#bytesTo(to) + bytes;
    if (sum > 0) this.#bytes.set(to, sum);
    else this.#bytes.delete(to);
  }
}

/**
 * Where leaders wait for less, less may stand before the answers: by trial, at 500 ms and 24 Mbit/s, 200 ms and
 * 48, 100 ms and 100 (`test/node/slow-path`).
 */
function forwardBytesMax(electionMs: number): number {
  const part = electionMs < 1_000 ? electionMs / 2_500 : 1;
  return Math.max(forwardBytesMin, part * nodeLimits.forwardBytesMax);
}
