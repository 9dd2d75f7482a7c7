// A host that has put another `Promise` in place of the global one: `global.Promise = require('bluebird')`,
// or zone.js. What async functions answer is of the language's own class all the same.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Place } from './place.js';

class OtherPromise<T> extends Promise<T> {}

let place: Place;
beforeEach(async () => {
  place = await Place.make();
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await place.close();
});

test('another global Promise -> ranges are read, deleted and watched from history', async () => {
  const dir = place.dir('solo');
  const store = await place.open({ dir });
  await store.put('a', '1');
  vi.stubGlobal('Promise', OtherPromise);
  expect((await store.range({ prefix: '' })).kvs.map((kv) => kv.keyText())).toEqual(['a']);
  expect(await store.delete({ prefix: '' })).toMatchObject({ deleted: 1 });
  const watch = store.watch({ prefix: '' }, { fromRevision: 2 });
  for await (const { events } of watch) {
    expect(events.map(({ type }) => type)).toEqual(['put', 'delete']);
    break;
  }
  expect(store.status().failure).toBeUndefined();
});

test('opened again, with the delete of a range in its log -> it goes on', async () => {
  const dir = place.dir('solo');
  vi.stubGlobal('Promise', OtherPromise);
  const store = await place.open({ dir });
  await store.put('a', '1');
  await store.delete({ prefix: '' }).catch(() => undefined);
  await store.close();
  const again = await place.open({ dir });
  expect(await again.put('b', '2')).toMatchObject({ revision: 4 });
});
