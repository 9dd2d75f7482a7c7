/**
 * What a leader keeps about each lease while it leads: when it runs out, by the leader's own clock,
 * and when that is to be noted in the log next.
 */
import { DueHeap, type HeapItem } from '../base/due-heap.js';
import type { LeaseEntry } from '../mvcc/lease-types.js';

/** A lease that is watched over. @since 0.1.0 */
export interface WatchedLease extends HeapItem {
  /** Monotonic milliseconds. */
  due: number;
  readonly id: bigint;
  readonly generation: number;
  readonly ttlSeconds: number;
  /** Monotonic milliseconds at which it runs out. */
  expiryMs: number;
  /** When what is left is to be noted; `Infinity` when the rest is too short for that. */
  checkpointMs: number;
  /** Settles once the revoke that is under way has come to something. */
  ending: Promise<void> | undefined;
  /** The log has a checkpoint of it, or may get one. */
  isNoted: boolean;
  /** Milliseconds that the next leader finds there at least; `Infinity` for a whole TTL. */
  notedMs: number;
  /** Resets under way; meanwhile no checkpoint may be proposed. */
  resets: number;
}

/** @since 0.1.0 */
export class LeaseWatch {
  readonly #leases = new Map<bigint, WatchedLease>();
  readonly #heap = new DueHeap<WatchedLease>();
  readonly #intervalMs: number;

  /** @param checkpointIntervalMs - a lease with more left than that is noted that often */
  constructor(checkpointIntervalMs: number) {
    this.#intervalMs = checkpointIntervalMs;
  }

  get size(): number {
    return this.#leases.size;
  }

  /** When something is due first; `undefined` when nothing ever is. */
  get firstDueMs(): number | undefined {
    return this.#heap.first?.due;
  }

  get(id: bigint): WatchedLease | undefined {
    return this.#leases.get(id);
  }

  /** Begins to watch over a lease, with what it has left by the log. */
  add({ id, generation, ttlSeconds, remainingMs }: LeaseEntry, nowMs: number): void {
    const leftMs = remainingMs === 0 ? ttlSeconds * 1_000 : remainingMs;
    // A literal: a new leader makes one for each lease there is, in one go.
    const lease: WatchedLease = {
      id,
      generation,
      ttlSeconds,
      expiryMs: nowMs + leftMs,
      checkpointMs: this.#nextCheckpoint(leftMs, nowMs),
      ending: undefined,
      isNoted: remainingMs !== 0,
      notedMs: remainingMs === 0 ? Number.POSITIVE_INFINITY : remainingMs,
      resets: 0,
      due: 0,
      heapAt: -1,
    };
    this.remove(id);
    this.#leases.set(id, lease);
    this.#enqueue(lease);
  }

  /** The lease is gone, or another one took its place. */
  remove(id: bigint): void {
    const lease = this.#leases.get(id);
    if (lease === undefined) return;
    this.#leases.delete(id);
    this.#heap.remove(lease);
  }

  /** Whether this very lease is still there. */
  has(lease: WatchedLease): boolean {
    return this.#leases.get(lease.id) === lease;
  }

  /** A keep-alive. What is due only moves to later, so the heap need not know yet. */
  renew(lease: WatchedLease, nowMs: number): void {
    const leftMs = lease.ttlSeconds * 1_000;
    lease.expiryMs = nowMs + leftMs;
    lease.checkpointMs = this.#nextCheckpoint(leftMs, nowMs);
  }

  /** A checkpoint is about to be proposed; returns the milliseconds left, which it is to say. */
  note(lease: WatchedLease, nowMs: number): number {
    const leftMs = Math.max(1, Math.ceil(lease.expiryMs - nowMs));
    lease.isNoted = true;
    lease.notedMs = Math.min(lease.notedMs, leftMs);
    lease.checkpointMs = this.#nextCheckpoint(leftMs, nowMs);
    this.#enqueue(lease);
    return leftMs;
  }

  /** Puts a lease back that {@link takeDue} gave, to come up again then. */
  putBack(lease: WatchedLease, dueMs: number): void {
    if (!this.has(lease) || lease.heapAt >= 0) return;
    lease.due = dueMs;
    this.#heap.add(lease);
  }

  /** Takes leases that ran out or are to be noted, at most so many. */
  takeDue(nowMs: number, countMax: number): WatchedLease[] {
    const due: WatchedLease[] = [];
    while (due.length < countMax) {
      const { first } = this.#heap;
      if (first === undefined || first.due > nowMs) return due;
      this.#heap.remove(first);
      if (Math.min(first.expiryMs, first.checkpointMs) <= nowMs) due.push(first);
      else this.#enqueue(first);
    }
    return due;
  }

  #enqueue(lease: WatchedLease): void {
    lease.due = Math.min(lease.expiryMs, lease.checkpointMs);
    this.#heap.add(lease);
  }

  #nextCheckpoint(leftMs: number, nowMs: number): number {
    return leftMs > this.#intervalMs ? nowMs + this.#intervalMs : Infinity;
  }
}
