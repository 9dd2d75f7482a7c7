// A small data directory with all that one can have in it: several segments, a snapshot, the pointer to
// a state that was installed, tables and a log of LevelDB.
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { type StoreConfig, storeConfig } from '../../src/assembly/store-config.js';
import { isKontikiError } from '../../src/base/errors.js';
import { systemEnv } from '../../src/preset/system-env.js';
import { cmp, op } from '../../src/store/operations.js';
import type { Store } from '../../src/store/store.js';
import { installOwnSnapshot } from '../sim/own-snapshot.js';
import { contentOf, pairsAt } from '../sim/store-content.js';

export function directoryConfig(dir: string): StoreConfig {
  return { ...storeConfig({ dir }), tuning: { segmentBytes: 1_536 } };
}

/** All revisions that can be read, and all leases. */
export async function everythingIn(store: Store): Promise<string> {
  const content = await contentOf(store);
  const past: (readonly string[])[] = [];
  for (let at = content.compactRevision; at <= content.revision; at += 1) {
    past.push(await pairsAt(store, Math.max(1, at)));
  }
  return JSON.stringify({ ...content, past });
}

/** @returns what is in it */
export async function fillDirectory(dir: string): Promise<string> {
  const config = directoryConfig(dir);
  let store = await openStoreOn(await systemEnv(config), config);
  for (let n = 0; n < 8; n += 1) await store.put(`k${n % 3}`, `${n}`.repeat(20));
  const lease = await store.lease(1_000_000, { id: 7n });
  await store.put('held', 'x', { lease: lease.id });
  await store.compact(5);
  await store.close();
  await installOwnSnapshot(await systemEnv(config), config);
  store = await openStoreOn(await systemEnv(config), config);
  await store.delete('k1');
  await store.txn().if(cmp.version('k2').gt(0)).do(op.put('k2', 'y'), op.put('k3', 'z')).commit();
  for (let n = 0; n < 3; n += 1) await store.put('k0', `${n}`.repeat(30));
  const everything = await everythingIn(store);
  await store.close();
  return everything;
}

/** @returns `same`, what else became of the store, or why it refused; one word */
export async function outcomeOfOpening(dir: string, expected: string): Promise<string> {
  try {
    const config = directoryConfig(dir);
    const store = await openStoreOn(await systemEnv(config), config);
    try {
      if ((await everythingIn(store)) !== expected) return 'different';
      const before = store.status().revision;
      const { revision } = await store.put('next', '1');
      return revision === before + 1 ? 'same' : 'revisions';
    } finally {
      await store.close();
    }
  } catch (error) {
    return isKontikiError(error) ? `refused-${error.code}` : `untyped-${String(error)}`;
  }
}
