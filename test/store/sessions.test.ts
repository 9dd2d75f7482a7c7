// Writes at most once, from the store's side: what is in the way of a write is over within its timeout,
// or the caller is told what is known. And reads of a member's own state that wait for a revision.
import { afterEach, describe, expect, test } from 'vitest';
import { decodeCommand } from '../../src/codec/command-codec.js';
import type { MemberId } from '../../src/raft/types.js';
import type { KeyValue } from '../../src/store/key-value.js';
import { VirtualStores } from './virtual-store.js';

let stores: VirtualStores;
afterEach(() => stores.close());

function leaderOf(): MemberId {
  const leads = (id: MemberId) => stores.store(id).status().role === 'leader';
  return stores.ids.find(leads) as MemberId;
}

/** What the log of a member has, in words. */
function logged(id: MemberId): string[] {
  const { log } = stores.member(id);
  const entries = log.entries({ lo: log.firstIndex(), hi: log.lastIndex() + 1 }, Infinity) ?? [];
  return entries
    .filter(({ data }) => data.length > 0)
    .map(({ data }) => decodeCommand(data))
    .map(({ command, seq }) => `${command.op} ${seq}`);
}

describe('writes at most once', () => {
  test('the first writes of a member open one session; later ones none; another member its own', async () => {
    stores = await VirtualStores.opened(3);
    const [follower] = stores.others(leaderOf()) as [MemberId];
    const store = stores.store(follower);
    await stores.settle(Promise.all([store.put('a', '1'), store.put('b', '2')]));
    await stores.settle(store.put('c', '3'));
    expect(logged(follower)).toEqual(['session-open 3', 'put 1', 'put 2', 'put 4']);
    await stores.settle(stores.store(leaderOf()).put('d', '4'));
    expect(logged(leaderOf()).filter((it) => it.startsWith('session'))).toHaveLength(2);
  });

  test('the leader is cut off with the write on its way: it takes effect once, under the next leader', async () => {
    stores = await VirtualStores.opened(3);
    const leader = leaderOf();
    const [follower] = stores.others(leader) as [MemberId];
    const store = stores.store(follower);
    await stores.settle(store.put('a', '0'));
    const write = store.put('a', '1');
    stores.isolate(leader);
    const { revision } = await stores.settle(write);
    expect(await stores.settle(store.get('a'))).toMatchObject({
      version: 2,
      modRevision: revision,
    });
  });

  test('a link breaks again and again under many writes: each takes effect once', async () => {
    stores = await VirtualStores.opened(3);
    const leader = leaderOf();
    const [follower] = stores.others(leader) as [MemberId];
    const store = stores.store(follower);
    const writes: Promise<unknown>[] = [];
    for (let nth = 0; nth < 60; nth += 1) {
      writes.push(store.put('a', `${nth}`));
      // Before the leader has it, while it writes it, or with the news of it on the way back.
      for (let turn = 0; turn < nth % 12; turn += 1) await stores.time.run(0.001);
      stores.hub.disconnect(leader, follower);
      await stores.time.run(1);
      stores.heal();
      await stores.time.run(500);
    }
    await stores.settle(Promise.all(writes));
    expect((await stores.settle(store.get('a')))?.version).toBe(60);
    // Else nothing was in the way of anything.
    expect(logged(leader).filter((it) => it.startsWith('put')).length).toBeGreaterThan(60);
  });

  test('no leader until the time is over, the write never sent: NO_LEADER, rejected', async () => {
    stores = await VirtualStores.opened(3);
    const [follower] = stores.others(leaderOf()) as [MemberId];
    stores.isolate(follower);
    await stores.time.run(5_000);
    const write = stores.store(follower).put('a', '1', { timeoutMs: 1_000 });
    const end = expect.objectContaining({ code: 'NO_LEADER', outcome: 'rejected' });
    await expect(stores.settle(write)).rejects.toEqual(end);
  });

  test('the answer of a repeated write, too long to be kept: revision and success, and it says so', async () => {
    stores = await VirtualStores.opened(1);
    const store = stores.store(1);
    const long = 'x'.repeat(2_000);
    await stores.settle(store.put('a', long));
    const { machine } = stores.member(1);
    const first = machine.keyspace.revision;
    expect(await stores.settle(store.delete('a', { previous: true }))).toMatchObject({
      previous: [{ version: 1 } as KeyValue],
    });
    const { log } = stores.member(1);
    const last = { lo: log.lastIndex(), hi: log.lastIndex() + 1 };
    const [entry] = log.entries(last, Infinity) ?? [];
    const again = {
      term: 99,
      index: log.lastIndex() + 1,
      type: 'normal',
      data: entry?.data,
    } as never;
    const [repeated] = await stores.settle(machine.apply([again]));
    expect(repeated?.value).toEqual({
      op: 'delete',
      revision: first + 1,
      deleted: 1,
      partial: true,
    });
  });
});

describe('serializable reads', () => {
  test('a member that is cut off: answers from its own state, of the past', async () => {
    stores = await VirtualStores.opened(3);
    const leader = leaderOf();
    const [follower] = stores.others(leader) as [MemberId];
    await stores.settle(stores.store(follower).put('a', '1'));
    stores.isolate(follower);
    await stores.settle(stores.store(leader).put('a', '2'));
    const local = stores.store(follower).get('a', { serializable: true });
    expect((await stores.settle(local))?.text()).toBe('1');
    const range = stores.store(follower).range({ prefix: '', serializable: true });
    expect((await stores.settle(range)).kvs).toHaveLength(1);
  });

  test('minRevision: waits until it is here; TIMEOUT, the reason, or CLOSED when that ends first', async () => {
    stores = await VirtualStores.opened(3);
    const leader = leaderOf();
    const [follower] = stores.others(leader) as [MemberId];
    const store = stores.store(follower);
    stores.isolate(follower);
    const { revision } = await stores.settle(stores.store(leader).put('a', '2'));
    const late = { serializable: true, minRevision: revision } as const;
    const timeout = store.get('a', { ...late, timeoutMs: 100 });
    await expect(stores.settle(timeout)).rejects.toMatchObject({ code: 'TIMEOUT' });
    const abort = new AbortController();
    const aborted = store.get('a', { ...late, signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(stores.settle(aborted)).rejects.toThrow('enough');
    const waiting = store.get('a', late);
    stores.heal();
    expect((await stores.settle(waiting))?.text()).toBe('2');
    const ended = store.get('a', { serializable: true, minRevision: revision + 1 });
    const told = expect(ended).rejects.toMatchObject({ code: 'CLOSED' });
    await stores.settle(store.close());
    await told;
  });

  test('minRevision without serializable, or of nothing: ARGUMENT_INVALID', async () => {
    stores = await VirtualStores.opened(1);
    const store = stores.store(1);
    const invalid = { code: 'ARGUMENT_INVALID' };
    await expect(store.get('a', { minRevision: 3 })).rejects.toMatchObject(invalid);
    const none = { serializable: true, minRevision: 0 };
    await expect(store.get('a', none)).rejects.toMatchObject(invalid);
    const text = { serializable: 'yes' } as never;
    await expect(store.get('a', text)).rejects.toMatchObject(invalid);
  });
});
