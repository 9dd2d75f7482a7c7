// Members of a store that are closed, fail, or lose each other, on virtual time.
import { afterEach, describe, expect, test } from 'vitest';
import { type ErrorCode, kontikiError } from '../../src/base/errors.js';
import type { MemberId } from '../../src/raft/types.js';
import type { Store } from '../../src/store/store.js';
import { VirtualStores } from './virtual-store.js';

const error = (code: ErrorCode, outcome?: string) =>
  expect.objectContaining(outcome === undefined ? { code } : { code, outcome });

let stores: VirtualStores;
afterEach(() => stores.close());

function leaderOf(): MemberId {
  const name = stores.store(1).status().leader;
  return stores.ids.find((id) => `n${id}` === name) as MemberId;
}

async function dump(store: Store): Promise<string[]> {
  const { kvs } = await stores.settle(store.range({ prefix: '' }));
  return kvs.map((kv) => `${kv.keyText()}=${kv.text()}@${kv.modRevision}`);
}

/** What each of the calls ends with. */
function everyCall(store: Store): Promise<PromiseSettledResult<unknown>[]> {
  return Promise.allSettled([
    store.put('a', '1'),
    store.delete('a'),
    store.txn().commit(),
    store.get('a'),
    store.get('a', { revision: 1 }),
    store.getWithRevision('a'),
    store.range({ prefix: '' }),
  ]);
}

describe('three members', () => {
  test('what one was told is written, any of them reads, at once', async () => {
    stores = await VirtualStores.opened(3);
    for (const writer of stores.ids) {
      await stores.settle(stores.store(writer).put('a', `by ${writer}`));
      const reads = stores.ids.map((id) => stores.store(id).get('a'));
      const found = await stores.settle(Promise.all(reads));
      expect(found.map((kv) => kv?.text())).toEqual(stores.ids.map(() => `by ${writer}`));
    }
  });

  test('an entry that is no command: skipped by all, and its proposer learns nothing', async () => {
    stores = await VirtualStores.opened(3);
    await stores.settle(stores.store(1).put('a', '1'));
    const garbage = () => new Uint8Array([1, 0xc1]);
    const lost = stores.member(2).node.propose(garbage, { timeoutMs: 500 });
    await expect(stores.settle(lost)).rejects.toEqual(error('TIMEOUT', 'unknown'));
    await stores.settle(stores.store(3).put('a', '2'));
    const dumps: string[][] = [];
    for (const id of stores.ids) {
      expect(stores.store(id).status()).toMatchObject({ lifecycle: 'open', failure: undefined });
      dumps.push(await dump(stores.store(id)));
    }
    expect(dumps).toEqual([['a=2@3'], ['a=2@3'], ['a=2@3']]);
  });

  test('status and events use the names of the members', async () => {
    stores = await VirtualStores.opened(3);
    const leader = leaderOf();
    const [follower] = stores.others(leader) as [MemberId];
    const { name, memberId, members, role, leader: known } = stores.store(follower).status();
    expect({ name, memberId, members, role, known }).toEqual({
      name: `n${follower}`,
      memberId: follower,
      members: ['n1', 'n2', 'n3'],
      role: 'follower',
      known: `n${leader}`,
    });
    const seen: unknown[] = [];
    const onLeader = (event: unknown) => seen.push(event);
    stores.store(follower).on('leader', onLeader);
    stores.store(follower).on('peer', (event) => seen.push(event));
    stores.isolate(leader);
    await stores.time.until(() => {
      return ![undefined, `n${leader}`].includes(stores.store(follower).status().leader);
    });
    expect(seen).toContainEqual({ member: `n${leader}`, connected: false });
    expect(seen).toContainEqual({ term: expect.any(Number), leader: undefined });
    expect(seen).toContainEqual({ term: expect.any(Number), leader: expect.stringMatching(/^n/) });
    stores.store(follower).off('leader', onLeader);
    seen.length = 0;
    stores.heal();
    stores.isolate(stores.ids.find((id) => stores.store(id).status().role === 'leader') ?? 1);
    await stores.time.run(5_000);
    expect(seen.filter((event) => 'leader' in (event as object))).toEqual([]);
  });
});

describe('a member that is cut off', () => {
  test('its reads: TIMEOUT at their own time; of past revisions: answered', async () => {
    stores = await VirtualStores.opened(3);
    const [away] = stores.others(leaderOf()) as [MemberId];
    const store = stores.store(away);
    const { revision } = await stores.settle(store.put('a', '1'));
    stores.isolate(away);
    const startMs = stores.time.monotonicMs();
    const read = store.get('a', { timeoutMs: 1_234 });
    await expect(stores.settle(read)).rejects.toEqual(error('TIMEOUT'));
    expect(stores.time.monotonicMs() - startMs).toBeLessThan(1_240);
    expect((await store.get('a', { revision }))?.text()).toBe('1');
    const future = store.get('a', { revision: revision + 1, timeoutMs: 100 });
    await expect(stores.settle(future)).rejects.toEqual(error('TIMEOUT'));
    const abort = new AbortController();
    const aborted = store.get('a', { signal: abort.signal });
    await stores.time.run(50);
    abort.abort('enough');
    await expect(aborted).rejects.toBe('enough');
  });

  test('a read that began while it was away: answered with what happened meanwhile', async () => {
    stores = await VirtualStores.opened(3);
    const leader = leaderOf();
    const [other] = stores.others(leader) as [MemberId];
    stores.isolate(leader);
    const read = stores.store(leader).get('a', { timeoutMs: 60_000 });
    await stores.time.run(3_000);
    await stores.settle(stores.store(other).put('a', 'new'));
    await stores.time.run(3_000);
    stores.heal();
    expect((await stores.settle(read))?.text()).toBe('new');
  });

  test('its writes when nobody leads: NO_LEADER, rejected', async () => {
    stores = await VirtualStores.opened(3);
    const [away] = stores.others(leaderOf()) as [MemberId];
    stores.isolate(away);
    await stores.time.run(3_000);
    const write = stores.store(away).put('lost', '1', { timeoutMs: 500 });
    await expect(stores.settle(write)).rejects.toEqual(error('NO_LEADER', 'rejected'));
    stores.heal();
    await stores.time.run(3_000);
    expect(await stores.settle(stores.store(away).get('lost'))).toBeUndefined();
  });

  test('a deadline for a call that says none: 7 seconds', async () => {
    stores = await VirtualStores.opened(3);
    const [away] = stores.others(leaderOf()) as [MemberId];
    stores.isolate(away);
    const startMs = stores.time.monotonicMs();
    const calls = [stores.store(away).get('a'), stores.store(away).put('a', '1')];
    await stores.settle(Promise.allSettled(calls));
    const tookMs = stores.time.monotonicMs() - startMs;
    expect(tookMs).toBeGreaterThanOrEqual(7_000);
    expect(tookMs).toBeLessThan(7_300);
    await Promise.allSettled(calls);
  });
});

describe('close', () => {
  test('everything that waits is settled, everything later is CLOSED, no timer is left', async () => {
    stores = await VirtualStores.opened(3);
    const leader = leaderOf();
    const store = stores.store(leader);
    // The first write opens a session, and is handed over after that.
    await stores.settle(store.put('a', '0'));
    stores.isolate(leader);
    const write = store.put('a', '1');
    const read = store.get('a');
    const watch = store.watch('a');
    const next = watch[Symbol.asyncIterator]().next();
    const ends = Promise.allSettled([write, read, next]);
    await stores.time.run(10);
    const closing = stores.settle(Promise.all([store.close(), store.close()]));
    expect(() => store.watch('a')).toThrow(error('CLOSED'));
    await closing;
    const told = await stores.settle(ends);
    expect(told).toMatchObject([
      { reason: { code: 'CLOSED', outcome: 'unknown' } },
      { reason: { code: 'CLOSED' } },
      { reason: { code: 'CLOSED' } },
    ]);
    for (const end of await everyCall(store)) {
      expect(end).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
    }
    expect(store.status().lifecycle).toBe('closed');
    await stores.close();
    await stores.time.run(100);
    expect(stores.time.pending).toBe(0);
  });

  test('what was written is durable afterwards', async () => {
    stores = await VirtualStores.opened(1);
    await stores.settle(stores.store(1).put('a', '1'));
    await stores.settle(stores.store(1).close());
    const { engine, log } = stores.member(1);
    expect(engine.reopen()).toBeDefined();
    expect(log.initialState().hardState.commit).toBe(log.lastIndex());
  });

  test('what runs around the store is let go of even when it is closed twice', async () => {
    stores = await VirtualStores.opened(1);
    await using store = stores.store(1);
    await stores.settle(store.put('a', '1'));
  });
});

describe('who is told of the end, and calls back at once', () => {
  const refused = { status: 'rejected', reason: { code: 'CLOSED' } };

  test('a lease lost as the store closes: its listener begins nothing more, and closes nothing twice', async () => {
    const closed: string[] = [];
    stores = await VirtualStores.opened(3, { onClosed: async () => void closed.push('closed') });
    // A leader lets another one lead first: until then its node still works.
    const store = stores.store(leaderOf());
    const { revision } = await stores.settle(store.put('a', '0'));
    const lease = await stores.settle(store.lease(10, { keepAlive: true }));
    const kept = await stores.settle(store.lease(10));
    let ends: Promise<PromiseSettledResult<unknown>[]> | undefined;
    let again: Promise<void> | undefined;
    const watch = async () => store.watch('a', { progressMs: 10 });
    lease.lost.addEventListener('abort', () => {
      again = store.close();
      ends = Promise.allSettled([
        watch(),
        ...[store.put('a', '1'), store.get('a'), store.get('a', { serializable: true })],
        ...[store.get('a', { revision }), store.scan({ prefix: '' }).next()],
        ...[store.lease(10), kept.revoke(), kept.timeToLive(), store.leases()],
        ...[store.members.list(), store.members.add('n4', 'm4:1'), store.transferLeadership(2)],
        ...[
          store.alarms(),
          store.disarm({ memberId: 1 }),
          store.backup({ serializable: true })[Symbol.asyncIterator]().next(),
        ],
      ]);
    });
    await stores.settle(store.close());
    const told = await stores.settle(Promise.resolve(ends));
    expect(told?.filter(({ status }) => status === 'fulfilled')).toEqual([]);
    expect(told).toMatchObject(Array(16).fill(refused));
    await again;
    expect(closed).toEqual(['closed']);
    await stores.close();
    await stores.time.run(100);
    expect(stores.time.pending).toBe(0);
  });

  test('the member fails, and who hears of it closes the store: why it failed stays the reason', async () => {
    stores = await VirtualStores.opened(1);
    const store = stores.store(1);
    const first = await stores.settle(store.lease(10));
    const second = await stores.settle(store.lease(10));
    const watch = async () => store.watch('a', { progressMs: 10 });
    let ends: Promise<unknown> | undefined;
    first.lost.addEventListener('abort', () => {
      ends = Promise.allSettled([store.close(), watch()]);
    });
    stores.member(1).node.fail(kontikiError('STORAGE_IO', 'bad sector'));
    expect(await stores.settle(Promise.resolve(ends))).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'STORAGE_IO' } },
    ]);
    expect(second.lost.reason).toMatchObject({ code: 'STORAGE_IO' });
    await stores.time.run(100);
    expect(stores.time.pending).toBe(0);
  });

  test('the node can not close: what was opened around the store is let go of all the same', async () => {
    const closed: string[] = [];
    stores = await VirtualStores.opened(1, { onClosed: async () => void closed.push('closed') });
    const { node, store } = stores.member(1);
    const close = node.close.bind(node);
    node.close = async () => {
      await close();
      throw new Error('no close');
    };
    await expect(stores.settle(store.close())).rejects.toThrow('no close');
    expect(closed).toEqual(['closed']);
    stores.members.clear();
  });
});

describe('a member whose disk fails', () => {
  async function failed() {
    stores = await VirtualStores.opened(1);
    const store = stores.store(1);
    const { engine } = stores.member(1);
    const failures: unknown[] = [];
    store.on('failed', ({ error: failure }) => failures.push(failure));
    await stores.settle(store.put('a', '1'));
    const watch = store.watch('a')[Symbol.asyncIterator]();
    const next = watch.next();
    next.catch(() => undefined);
    engine.writeFailure = kontikiError('STORAGE_IO', 'bad sector');
    await stores.time.run(200);
    return { store, failures, next };
  }

  test('the write that finds out: unknown; the event, the watch and all later calls say why', async () => {
    const { store, failures, next } = await failed();
    const write = store.put('b', '1');
    await expect(stores.settle(write)).rejects.toEqual(error('STORAGE_IO', 'unknown'));
    expect(failures).toEqual([error('STORAGE_IO')]);
    await expect(next).rejects.toEqual(error('STORAGE_IO'));
    await stores.time.until(() => store.status().lifecycle === 'closed');
    for (const end of await everyCall(store)) {
      expect(end).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_IO' } });
    }
    expect(() => store.watch('a')).toThrow(error('STORAGE_IO'));
    expect(store.status().failure).toEqual(failures[0]);
  });

  test('closed after it failed: calls say CLOSED or why it failed, never hang', async () => {
    const { store } = await failed();
    await stores.settle(store.put('b', '1').catch(() => undefined) as Promise<unknown>);
    await stores.settle(store.close());
    for (const end of await everyCall(store)) expect(end.status).toBe('rejected');
    expect(() => store.watch('a')).toThrow();
  });
});

describe('a listener of the store that throws', () => {
  test('the member goes on; the error comes up by itself', async () => {
    stores = new VirtualStores([1]);
    const opening = stores.open(1);
    const store = await opening;
    const bug = new Error('a bug of the listener');
    store.on('leader', () => {
      throw bug;
    });
    await stores.settle(store.put('a', '1'));
    await stores.time.run(1);
    expect(stores.time.uncaught).toEqual([bug]);
    expect(store.status()).toMatchObject({ lifecycle: 'open', failure: undefined });
  });
});
