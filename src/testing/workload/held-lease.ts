/** A lease in a client's hands, and how it is kept alive. */
import { isKontikiError } from '../../base/errors.js';
import type { Lease } from '../../store/lease.js';
import type { Store } from '../../store/store.js';
import type { LeaseLedger, LeaseRecord } from './lease-ledger.js';

/** @since 0.1.0 */
export interface HeldLease {
  readonly lease: Lease;
  /** Through which it was granted, and is renewed. */
  readonly store: Store;
  readonly record: LeaseRecord;
}

/**
 * Keeps a lease alive, or learns that it is gone.
 *
 * @param held - a lease whose store runs
 * @param ledger - where that is noted
 * @param nowUs - virtual time
 * @returns whether it may still live
 * @throws what is no error of ours: nobody refuses in such words
 * @since 0.1.0
 */
export async function renewLease(
  { lease, record }: HeldLease,
  ledger: LeaseLedger,
  nowUs: () => number,
): Promise<boolean> {
  const sentUs = nowUs();
  try {
    await lease.keepAlive();
    ledger.renewed(record, sentUs);
    return true;
  } catch (error) {
    if (!isKontikiError(error)) throw error;
    if (isKontikiError(error, 'LEASE_NOT_FOUND')) ledger.missed(record, nowUs());
    return !lease.lost.aborted;
  }
}
