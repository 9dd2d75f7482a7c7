/**
 * All leases, in memory: a put with a lease asks whether it exists without a read, and a new leader
 * knows what to watch over. It follows from the lease records alone, so it is the same on every
 * member at an applied index.
 */
import { assert } from '../base/assert.js';
import type { StoredRecord } from './backend.js';
import { decodeLease } from './lease-record.js';
import type { LeaseEntry } from './lease-types.js';

/** What a put asks. @since 0.1.0 */
export interface LeaseLookup {
  hasLease(id: bigint): boolean;
}

/** @since 0.1.0 */
export class LeaseTable {
  readonly #leases = new Map<bigint, LeaseEntry>();

  /**
   * The table of stored leases.
   *
   * @param records - all lease records
   * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
   */
  static of(records: readonly StoredRecord[]): LeaseTable {
    const table = new LeaseTable();
    for (const [recordKey, bytes] of records) table.set(decodeLease(recordKey, bytes));
    return table;
  }

  get size(): number {
    return this.#leases.size;
  }

  get(id: bigint): LeaseEntry | undefined {
    return this.#leases.get(id);
  }

  /** A new lease, or an existing one with other numbers. */
  set(lease: LeaseEntry): void {
    this.#leases.set(lease.id, lease);
  }

  delete(id: bigint): void {
    const existed = this.#leases.delete(id);
    assert(existed, 'only a lease that exists is revoked');
  }

  /** In no particular order. */
  values(): IterableIterator<LeaseEntry> {
    return this.#leases.values();
  }
}
