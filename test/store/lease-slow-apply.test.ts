// Leases of members that do not lead, while the leader applies with a delay that calls bear.
import { expect, test } from 'vitest';
import { sleep } from '../../src/base/sleep.js';
import { VirtualStores } from './virtual-store.js';

test.each(['the leader', 'a follower'])(
  'a leader that is seconds behind with applying -> a lease kept alive on %s lives',
  async (where) => {
    const stores = await VirtualStores.opened(3);
    const { time } = stores;
    const leader = stores.ids.find((id) => stores.member(id).node.leadTerm > 0) as number;
    const [follower] = stores.others(leader) as [number];
    const holder = stores.store(where === 'the leader' ? leader : follower);
    const lease = await stores.settle(holder.lease(30, { keepAlive: true }));
    const { machine } = stores.member(leader);
    const apply = machine.apply.bind(machine);
    // Batches are of 4 MiB at most: 14 writers of 1 MiB are three to five of them.
    machine.apply = async (...args) => {
      await sleep(time, 900);
      return apply(...args);
    };
    const value = new Uint8Array(1_048_576);
    let [isOver, failed] = [false, 0];
    const writer = async (nth: number) => {
      while (!isOver) {
        await stores
          .store(leader)
          .put(`k${nth}`, value)
          .catch(() => (failed += 1));
      }
    };
    const writers = Array.from({ length: 14 }, (_, nth) => writer(nth));
    await time.run(60_000);
    const isLeading = stores.member(leader).node.leadTerm > 0;
    const seen = { isLost: lease.lost.aborted, failed, isLeading };
    isOver = true;
    await stores.settle(Promise.all(writers));
    await stores.close();
    expect(seen).toEqual({ isLost: false, failed: 0, isLeading: true });
  },
);
