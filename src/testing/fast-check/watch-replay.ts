/** A watch from the beginning must arrive at what a read of the same range shows. */
import { isKontikiError } from '../../base/errors.js';
import type { KeyVersion } from '../../mvcc/types.js';
import type { Store } from '../../store/store.js';
import type { WatchBatch } from '../../store/watch-batch.js';
import { agrees } from '../checkers/observed.js';
import type { SimCluster } from '../cluster/sim-cluster.js';
import { InvariantViolation } from '../invariants/invariant-violation.js';
import { shown } from '../shown.js';
import { versionOf } from '../workload/store-call.js';

/** A member that is cut off may not get there: then there is nothing to compare. */
const waitMs = 5_000;

/**
 * Watches a range from the first revision to that of a read, and compares what the events add up to.
 *
 * @param cluster - one member of which is watched
 * @param name - of that member; it runs
 * @param read - a linearizable read of all keys from `k` on
 * @throws {InvariantViolation} W1, W4
 * @since 0.1.0
 */
export async function checkReplay(
  cluster: SimCluster<Store>,
  name: string,
  read: { readonly kvs?: unknown; readonly revision?: number | undefined },
): Promise<void> {
  const { revision = 0 } = read;
  if (revision <= 1) return;
  const { sim } = cluster;
  const watch = cluster.service(name).watch({ from: 'k', to: 'l' }, { fromRevision: 2 });
  const iterator = watch[Symbol.asyncIterator]();
  const found = new Map<string, KeyVersion>();
  try {
    for (let seen = 1; seen < revision; ) {
      const { value } = await sim.complete(iterator.next(), waitMs);
      const batch = value as WatchBatch;
      if (batch.revision <= seen) {
        const message = `${name}: revision ${batch.revision} came after ${seen}`;
        throw new InvariantViolation('W1', sim.scheduler.nowUs, message);
      }
      seen = addEvents(found, batch, revision);
    }
  } catch (error) {
    if (isKontikiError(error, 'TIMEOUT')) return;
    throw error;
  } finally {
    void iterator.return?.();
  }
  const kvs = [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  if (agrees(kvs, read.kvs)) return;
  const message = `${name}: events add up to ${shown(kvs)}, a read shows ${shown(read.kvs)}`;
  throw new InvariantViolation('W4', sim.scheduler.nowUs, message);
}

/** Later revisions are of no interest. */
function addEvents(found: Map<string, KeyVersion>, batch: WatchBatch, upTo: number): number {
  for (const { type, kv } of batch.events) {
    const version = versionOf(kv);
    if (version.modRevision > upTo) continue;
    if (type === 'put') found.set(version.key, version);
    else found.delete(version.key);
  }
  return batch.revision;
}
