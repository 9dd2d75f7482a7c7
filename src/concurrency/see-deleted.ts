/**
 * Waiting for one key to go: what everybody in a line does with the key before, and a holder with its own.
 */
import { isKontikiError } from '../base/errors.js';
import type { Bytes, KvClient } from '../store/kv-client.js';

/**
 * Watches a key until it is deleted.
 *
 * @param kv - a store
 * @param what.key - there at the revision before `fromRevision`
 * @param what.signal - ends it
 * @returns whether it was deleted; `false`: history is compacted, so look whether it is there
 * @throws `signal.reason`; why the store stopped
 * @since 0.1.0
 */
export async function seeDeleted(
  kv: KvClient,
  what: { readonly key: Bytes; readonly fromRevision: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const { key, fromRevision, signal } = what;
  try {
    const watch = kv.watch(key, { fromRevision, noPut: true, previous: false, signal });
    for await (const { events } of watch) if (events.length > 0) return true;
    return false;
  } catch (error) {
    if (isKontikiError(error, 'COMPACTED')) return false;
    throw error;
  }
}
