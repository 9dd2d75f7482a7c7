// Bookmarks at intervals, on a store and on a clock that is turned by hand.
import { describe, expect, test } from 'vitest';
import { WatchProgress } from '../../src/store/watch-progress.js';
import { VirtualTime } from '../node/virtual-time.js';
import { VirtualStores } from './virtual-store.js';
import { WatchWorld } from './watch-world.js';

const keys = { gte: 'a', lt: 'a\0' };

describe('watch progress', () => {
  test('one timer per interval, none when its last watch is gone', () => {
    const time = new VirtualTime();
    let armed = 0;
    const progress = new WatchProgress({
      soon: (callback) => time.soon(callback),
      after: (ms, callback) => {
        armed += 1;
        const timer = time.after(ms, callback);
        return {
          cancel: () => {
            armed -= 1;
            timer.cancel();
          },
        };
      },
    });
    const world = new WatchWorld();
    const [a, b, c] = [0, 1, 2].map(() => world.follow({ keys }));
    progress.add(a!, 100);
    progress.add(b!, 100);
    progress.add(c!, 50);
    expect([armed, progress.size]).toEqual([2, 3]);
    progress.remove(a!);
    progress.remove(a!);
    progress.remove(c!);
    expect([armed, progress.size]).toEqual([1, 1]);
    progress.remove(b!);
    expect([armed, progress.size]).toEqual([0, 0]);
  });

  test('a store: a bookmark each quiet interval, none once the watch is closed', async () => {
    const stores = await VirtualStores.opened(1);
    const store = stores.store(1);
    const watch = store.watch('a', { progressMs: 1_000 });
    const iterator = watch[Symbol.asyncIterator]();
    await stores.settle(store.put('b', '1'));
    const first = await stores.settle(iterator.next());
    expect(first.value).toEqual({ revision: 2, events: [] });
    await stores.settle(store.put('b', '2'));
    const second = await stores.settle(iterator.next());
    expect(second.value).toEqual({ revision: 3, events: [] });
    const last = iterator.next();
    await watch.close();
    expect(await stores.settle(last)).toEqual({ done: true, value: undefined });
    await stores.close();
  });

  test('a store: options of the wrong kind are refused, and begin no watch', async () => {
    const stores = await VirtualStores.opened(1);
    const store = stores.store(1);
    const invalid = expect.objectContaining({ code: 'ARGUMENT_INVALID' });
    for (const options of [
      { noPut: 1 },
      { noDelete: 'yes' },
      { previous: null },
      { fragment: 0 },
      { progressMs: 0 },
      { progressMs: 2 ** 31 },
      { progressMs: '5' },
      { prevKv: true },
    ]) {
      expect(() => store.watch('a', options as never)).toThrow(invalid);
    }
    await stores.close();
  });
});
