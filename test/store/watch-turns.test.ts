// A consumer that asks for a bookmark behind every batch, as one does who stores where it is: only promises
// lie between two of them, and others must have their turns. Turns are counted, not time.
import { expect, test } from 'vitest';
import { selectKey } from '../../src/mvcc/selection.js';
import { BookmarkTurns } from '../../src/store/bookmark-turns.js';
import type { Watch } from '../../src/store/watch.js';
import { VirtualTime } from '../node/virtual-time.js';
import { VirtualStores } from './virtual-store.js';
import { settle, WatchWorld } from './watch-world.js';

/** More than anybody gets in a turn. */
const tooMany = 10_000;

/** Follows until `isOver`, and asks for a bookmark behind each batch. */
async function followed(watch: Watch, isOver: () => boolean): Promise<number> {
  let batches = 0;
  for await (const _ of watch) {
    batches += 1;
    if (isOver() || batches === tooMany) break;
    watch.requestProgress();
  }
  return batches;
}

const put = (key: string) => ({ op: 'put', key, value: new Uint8Array(1) }) as const;

test('a store: a bookmark is asked for behind each batch -> others have their turns', async () => {
  const stores = await VirtualStores.opened(1);
  const store = stores.store(1);
  let turns = 0;
  const count = () => {
    turns += 1;
    if (turns < 10) stores.time.soon(count);
  };
  const following = followed(store.watch('a'), () => turns === 10);
  await stores.settle(store.put('a', '1'));
  stores.time.soon(count);
  expect(await stores.settle(following)).toBeLessThan(tooMany);
  await stores.close();
  await stores.time.run(1);
  expect(stores.time.pending).toBe(0);
});

test('two watches -> each gets a bookmark in every turn, and not another one', async () => {
  const time = new VirtualTime();
  const world = new WatchWorld({ turns: new BookmarkTurns(time) });
  const watches = ['a', 'b'].map((key) => world.watch(selectKey(key)));
  let turns = 0;
  const following = watches.map((watch) => followed(watch, () => turns === 3));
  for (const watch of watches) watch.requestProgress();
  await settle();
  while (turns < 3) {
    turns += 1;
    await time.run(0.001);
  }
  expect(await Promise.all(following)).toEqual([4, 4]);
});

test('an event comes while the second bookmark waits -> first the event, then the bookmark behind it', async () => {
  const time = new VirtualTime();
  const world = new WatchWorld({ turns: new BookmarkTurns(time) });
  const watch = world.watch(selectKey('a'));
  const iterator = watch[Symbol.asyncIterator]();
  watch.requestProgress();
  expect((await iterator.next()).value).toEqual({ revision: 1, events: [] });
  watch.requestProgress();
  watch.requestProgress();
  const [waiting, isIn] = [iterator.next(), [] as string[]];
  void waiting.then(() => isIn.push('event'));
  await settle();
  expect(isIn).toEqual([]);
  world.run(put('a'));
  expect((await waiting).value).toMatchObject({ revision: 2, events: [{ type: 'put' }] });
  const last = iterator.next();
  await time.run(1);
  expect((await last).value).toEqual({ revision: 2, events: [] });
  expect(time.pending).toBe(0);
});

test('closed while the second bookmark waits -> done', async () => {
  const time = new VirtualTime();
  const world = new WatchWorld({ turns: new BookmarkTurns(time) });
  const watch = world.watch(selectKey('a'));
  const iterator = watch[Symbol.asyncIterator]();
  watch.requestProgress();
  await iterator.next();
  watch.requestProgress();
  const waiting = iterator.next();
  await watch.close();
  await time.run(1);
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(time.pending).toBe(0);
});
