// How many reads a watch from history takes: the slices follow what one of them weighs, inside of a large
// revision too.
import { expect, test } from 'vitest';
import type { Command } from '../../src/mvcc/index.js';
import type { WatchSettings } from '../../src/store/watch.js';
import { WatchWorld } from './watch-world.js';

const put = (key: string, bytes: number): Command => ({
  op: 'put',
  key,
  value: new Uint8Array(bytes),
});
const remove = (gte: string, lt: string): Command => ({ op: 'delete', keys: { gte, lt } });

/** Reads that each batch of a watch took, up to now. */
async function fetchesOf(world: WatchWorld, settings: Partial<WatchSettings>): Promise<number[]> {
  const watch = world.follow({ keys: { gte: '' }, ...settings })[Symbol.asyncIterator]();
  const fetches: number[] = [];
  for (let revision = 0; revision < world.hub.revision; ) {
    const before = world.fetches;
    const { value } = await watch.next();
    revision = value?.revision ?? Infinity;
    fetches.push(world.fetches - before);
  }
  await watch.return?.();
  return fetches;
}

test('two large revisions -> the second in as few slices as the first, or fewer', async () => {
  const world = new WatchWorld();
  for (const prefix of ['a', 'b']) {
    for (let n = 0; n < 3_000; n += 1) world.run(put(`${prefix}${n}`, 2_000));
  }
  const fromRevision = world.hub.revision + 1;
  world.run(remove('a', 'b'));
  world.run(remove('b', 'c'));
  const [first = 0, second = Infinity] = await fetchesOf(world, { fromRevision });
  expect(second).toBeLessThanOrEqual(first);
});

test('large values, then a large revision of small ones -> it is not read change by change', async () => {
  const world = new WatchWorld();
  for (let n = 0; n < 2_000; n += 1) world.run(put(`k${n}`, 1));
  const fromRevision = world.hub.revision + 1;
  for (let n = 0; n < 20; n += 1) world.run(put('big', 1_400_000));
  world.run(remove('k', 'l'));
  const fetches = await fetchesOf(world, { fromRevision });
  expect(fetches.at(-1)).toBeLessThan(100);
});
