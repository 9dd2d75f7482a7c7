/**
 * Waiting for one key to go: what everybody in a line does with the key before, and a holder with its own.
 */
import type { Timers } from '../base/clock.js';
import { isKontikiError } from '../base/errors.js';
import type { Bytes, KvClient } from '../store/kv-client.js';

/**
 * Watches a key until it is deleted.
 *
 * @param kv - a store
 * @param what.key - there at the revision before `fromRevision`
 * @param what.signal - ends it
 * @returns whether it was deleted; `false`: history is compacted, or it was watched for `lookMs`: look whether it is there
 * @throws `signal.reason`; why the store stopped
 * @since 0.1.0
 */
export async function seeDeleted(
  kv: KvClient,
  what: {
    readonly key: Bytes;
    readonly fromRevision: number;
    readonly signal: AbortSignal;
    readonly timers: Timers;
    readonly lookMs: number;
  },
): Promise<boolean> {
  const { key, fromRevision, signal, timers, lookMs } = what;
  const watch = kv.watch(key, { fromRevision, noPut: true, previous: false, signal });
  // A member that applies nothing is silent: only a read tells (its leases are renewed by the leader).
  const timer = timers.after(lookMs, () => void watch.close());
  try {
    for await (const { events } of watch) if (events.length > 0) return true;
    return false;
  } catch (error) {
    if (isKontikiError(error, 'COMPACTED')) return false;
    throw error;
  } finally {
    timer.cancel();
  }
}
