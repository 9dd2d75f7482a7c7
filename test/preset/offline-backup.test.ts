// Goal: a backup of a member that does not run leaves its directory as it was found.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openOfflineBackup } from '../../src/preset/offline-backup.js';
import type { Store } from '../../src/store/store.js';
import { Place } from './place.js';

let place: Place;
beforeEach(async () => {
  place = await Place.make();
});
afterEach(() => place.close());

/** Puts a key that goes with a lease of a second; resolves with its revision. */
async function putLeased(store: Store): Promise<number> {
  const { id: lease } = await store.lease(1);
  return (await store.put('leased', '1', { lease })).revision;
}

test('leases that would run out while a lone member is saved -> still there when it is opened again', async () => {
  const dir = place.dir('member');
  const store = await place.open({ dir });
  const minRevision = await putLeased(store);
  await store.close();

  const { backup, close } = await openOfflineBackup(dir);
  const chunks = backup[Symbol.asyncIterator]();
  await chunks.next();
  // A lease of the same length, granted later, says when those of the member would have run out.
  const other = await place.open({});
  const fromRevision = (await putLeased(other)) + 1;
  for await (const _ of other.watch('leased', { fromRevision })) break;
  while ((await chunks.next()).done !== true);
  await close();

  const again = await place.open({ dir });
  const kv = await again.get('leased', { serializable: true, minRevision });
  expect(kv?.text()).toBe('1');
});
