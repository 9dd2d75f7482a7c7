// Members as users of `kontiki/node` run them, on virtual time.
import { afterEach, describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import type { Entry, IndexRange, MemberId } from '../../src/raft/types.js';
import { MemoryLogStore } from '../../src/storage/index.js';
import { Cluster } from './cluster.js';

const error = (code: string, outcome?: string) =>
  expect.objectContaining(outcome === undefined ? { code } : { code, outcome });

let cluster: Cluster;
afterEach(() => cluster.close());

describe('three members', () => {
  test('proposals through any of them: applied everywhere in one order', async () => {
    cluster = await Cluster.led();
    const done: Promise<unknown>[] = [];
    for (let nth = 0; nth < 30; nth += 1) {
      done.push(cluster.propose(((nth % 3) + 1) as MemberId, `c${nth}`));
      if (nth % 7 === 0) await cluster.time.run(5);
    }
    const answers = await cluster.time.settle(Promise.all(done));
    expect(answers).toEqual(done.map((_, nth) => `did c${nth}`));
    await cluster.caughtUp(30);
    expect([...cluster.texts(1)].sort()).toEqual(done.map((_, nth) => `c${nth}`).sort());
    expect(cluster.texts(2)).toEqual(cluster.texts(1));
    expect(cluster.texts(3)).toEqual(cluster.texts(1));
  });

  test('one proposer: its proposals are applied in the order of its calls', async () => {
    cluster = await Cluster.led();
    const [follower] = cluster.followers(await cluster.elect());
    const done = Array.from({ length: 50 }, (_, nth) => cluster.propose(follower, `c${nth}`));
    await cluster.time.settle(Promise.all(done));
    expect(cluster.texts(follower)).toEqual(done.map((_, nth) => `c${nth}`));
  });

  test('a proposal resolves only when this very member has applied it', async () => {
    cluster = await Cluster.led();
    const leader = await cluster.elect();
    const [follower, other] = cluster.followers(leader);
    cluster.member(follower).machine.hold();
    let isDone = false;
    const done = cluster.propose(follower, 'a').then(() => {
      isDone = true;
    });
    await cluster.caughtUp(1, [leader, other]);
    await cluster.time.run(500);
    expect(isDone).toBe(false);
    cluster.member(follower).machine.release();
    await cluster.time.settle(done);
    expect(cluster.texts(follower)).toEqual(['a']);
  });

  test('proposed before there is a leader: waits for one', async () => {
    cluster = new Cluster();
    for (const id of cluster.ids) await cluster.open(id);
    const done = cluster.ids.map((id) => cluster.propose(id, `c${id}`));
    expect(await cluster.time.settle(Promise.all(done))).toEqual(['did c1', 'did c2', 'did c3']);
  });

  test('no leader within the timeout -> NO_LEADER, rejected, and never applied', async () => {
    cluster = new Cluster();
    await cluster.open(1);
    const lost = cluster.propose(1, 'lost', 3_000);
    await expect(cluster.time.settle(lost)).rejects.toEqual(error('NO_LEADER', 'rejected'));
    expect(cluster.time.monotonicMs()).toBeLessThan(3_300);
    await cluster.open(2);
    await cluster.open(3);
    await cluster.elect();
    await cluster.time.settle(cluster.propose(1, 'kept'));
    expect(cluster.texts(1)).toEqual(['kept']);
  });

  test('a read without a leader -> TIMEOUT after 5 s, not before; nothing of it waits on', async () => {
    cluster = new Cluster();
    for (const id of cluster.ids) await cluster.open(id);
    for (const id of cluster.ids) cluster.isolate(id);
    const started = cluster.time.monotonicMs();
    const read = cluster.node(1).readIndex();
    await expect(cluster.time.settle(read)).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(cluster.time.monotonicMs() - started).toBeGreaterThanOrEqual(5_000);
    expect(cluster.node(1).status.pendingReads).toBe(0);
  });

  test('the events: roles, leaders and peers as they come and go', async () => {
    cluster = new Cluster();
    const seen: string[] = [];
    for (const id of cluster.ids) {
      const node = await cluster.open(id);
      if (id !== 1) continue;
      node.on('leader', ({ term, leaderId }) => seen.push(`${term} leader ${leaderId}`));
      node.on('role', ({ term, role }) => seen.push(`${term} role ${role}`));
      node.on('peer', (peer) => seen.push(`peer ${peer.memberId} ${peer.connected}`));
    }
    const leader = await cluster.elect();
    expect(seen).toContain(`1 leader ${leader}`);
    cluster.isolate(1);
    await cluster.time.run(4_000);
    expect(seen.slice(-3).join()).toMatch(/undefined|candidate/);
    expect(seen.filter((line) => line.endsWith('false')).sort()).toEqual(
      expect.arrayContaining(['peer 2 false', 'peer 3 false']),
    );
    expect(seen).toContain('peer 2 true');
    cluster.heal();
    await cluster.elect();
    expect(seen.at(-1)).toMatch(/leader \d/);
  });
});

describe('a leader that is replaced', () => {
  test('its own pending proposals: rejected once it learns, and applied nowhere', async () => {
    cluster = await Cluster.led();
    const old = await cluster.elect();
    const others = cluster.followers(old);
    cluster.isolate(old);
    const lost = cluster.propose(old, 'lost', 50_000);
    await cluster.elect(others);
    const kept = cluster.propose(others[0], 'kept');
    await cluster.time.settle(kept);
    cluster.heal();
    await expect(cluster.time.settle(lost)).rejects.toEqual(error('LEADER_CHANGED', 'rejected'));
    await cluster.caughtUp(1);
    await cluster.time.run(1_000);
    for (const id of cluster.ids) expect(cluster.texts(id)).toEqual(['kept']);
  });

  test('a proposal that it committed before: applied once, and answered by the new leader', async () => {
    cluster = await Cluster.led();
    const old = await cluster.elect();
    const [a, b] = cluster.followers(old);
    // The follower's own apply comes late: its waiter is still open when the leader is gone.
    cluster.member(a).machine.hold();
    const done = cluster.propose(a, 'kept');
    await cluster.caughtUp(1, [old, b]);
    cluster.isolate(old);
    await cluster.elect([a, b]);
    cluster.member(a).machine.release();
    expect(await cluster.time.settle(done)).toBe('did kept');
    expect(cluster.texts(a)).toEqual(['kept']);
  });

  test('a follower of it that is cut off with it: unknown at its deadline, not before', async () => {
    cluster = await Cluster.led();
    const leader = await cluster.elect();
    const [a, b] = cluster.followers(leader);
    cluster.hub.disconnect(leader, b);
    cluster.hub.disconnect(a, b);
    cluster.member(leader).machine.hold();
    cluster.member(a).machine.hold();
    const slow = cluster.propose(a, 'slow', 1_000);
    await expect(cluster.time.settle(slow)).rejects.toEqual(error('TIMEOUT', 'unknown'));
    cluster.member(leader).machine.release();
    cluster.member(a).machine.release();
    await cluster.caughtUp(1, [leader, a]);
    expect(cluster.texts(a)).toEqual(['slow']);
  });

  test('many proposals while leaders come and go: every end is lawful', async () => {
    cluster = await Cluster.led();
    const ends = new Map<string, string>();
    let nth = 0;
    const burst = (id: MemberId) => {
      for (let each = 0; each < 5; each += 1) {
        const text = `c${nth}`;
        nth += 1;
        cluster.propose(id, text, 2_000).then(
          () => ends.set(text, 'done'),
          (reason: { outcome: string }) => ends.set(text, reason.outcome),
        );
      }
    };
    for (let round = 0; round < 6; round += 1) {
      for (const id of cluster.ids) burst(id);
      await cluster.time.run(3);
      cluster.isolate(cluster.ids[round % 3] as MemberId);
      for (const id of cluster.ids) burst(id);
      await cluster.time.run(2_500);
      cluster.heal();
      await cluster.time.run(700);
    }
    await cluster.time.run(5_000);
    expect(ends.size).toBe(nth);
    const applied = cluster.texts(1);
    expect(cluster.texts(2)).toEqual(applied);
    expect(cluster.texts(3)).toEqual(applied);
    expect(new Set(applied).size).toBe(applied.length);
    for (const [text, end] of ends) {
      if (end === 'done') expect(applied).toContain(text);
      if (end === 'rejected') expect(applied).not.toContain(text);
    }
    expect([...ends.values()].filter((end) => end === 'done').length).toBeGreaterThan(nth / 3);
  });
});

describe('one member', () => {
  test('leads at once: nobody else can be leading', async () => {
    cluster = new Cluster([1]);
    await cluster.open(1);
    expect(await cluster.time.settle(cluster.propose(1, 'a'))).toBe('did a');
    expect(cluster.time.monotonicMs()).toBeLessThan(100);
    expect(cluster.node(1).status).toMatchObject({ lifecycle: 'open', leaderId: 1 });
  });

  test('closed and opened again: applies on from where its state ends', async () => {
    cluster = new Cluster([1]);
    await cluster.open(1);
    await cluster.time.settle(cluster.propose(1, 'a'));
    await cluster.restart(1);
    await cluster.time.settle(cluster.propose(1, 'b'));
    expect(cluster.texts(1)).toEqual(['a', 'b']);
  });

  test('a state machine that forgot everything: given the whole log again', async () => {
    cluster = new Cluster([1]);
    await cluster.open(1);
    await cluster.time.settle(cluster.propose(1, 'a'));
    const { node, log } = cluster.member(1);
    await cluster.time.settle(node.close());
    await cluster.open(1, { log: (log as MemoryLogStore).reopen() });
    await cluster.time.settle(cluster.propose(1, 'b'));
    expect(cluster.texts(1)).toEqual(['a', 'b']);
  });
});

/** Keeps nothing below a point in memory: those entries are pending until they are fetched. */
class ForgetfulLog extends MemoryLogStore {
  pendingBelow = 0;
  fetches: IndexRange[] = [];
  fetchFailure: unknown;
  #fetched = 0;

  override entries(range: IndexRange, bytesMax: number): readonly Entry[] | undefined {
    const isPending = range.lo < this.pendingBelow && range.lo >= this.#fetched;
    if (isPending) return 'pending' as never;
    return super.entries(range, bytesMax);
  }

  override async fetch(range: IndexRange): Promise<void> {
    this.fetches.push(range);
    if (this.fetchFailure !== undefined) throw this.fetchFailure;
    await Promise.resolve();
    this.#fetched = Math.max(this.#fetched, range.hi);
  }
}

describe('a member that was away', () => {
  async function withOneAway() {
    cluster = new Cluster();
    const logs = new Map(cluster.ids.map((id) => [id, new ForgetfulLog({ voters: cluster.ids })]));
    for (const id of cluster.ids) await cluster.open(id, { log: logs.get(id) as ForgetfulLog });
    const leader = await cluster.elect();
    const [away] = cluster.followers(leader);
    cluster.isolate(away);
    const texts = Array.from({ length: 40 }, (_, nth) => `c${nth}`);
    for (const text of texts) await cluster.time.settle(cluster.propose(leader, text));
    const log = logs.get(leader) as ForgetfulLog;
    log.pendingBelow = log.lastIndex() + 1;
    return { leader, away, texts, log };
  }

  test('entries that the leader must load first: loaded, then sent', async () => {
    const { leader, away, texts, log } = await withOneAway();
    cluster.heal();
    await cluster.caughtUp(texts.length);
    expect(cluster.texts(away)).toEqual(texts);
    expect(log.fetches.length).toBeGreaterThan(0);
    expect(await cluster.time.settle(cluster.propose(leader, 'more'))).toBe('did more');
  });

  test('they can not be loaded: the leader stops, the others go on', async () => {
    const { leader, log } = await withOneAway();
    log.fetchFailure = new Error('bad sector');
    const failures: unknown[] = [];
    cluster.node(leader).on('failed', ({ error: failure }) => failures.push(failure));
    cluster.heal();
    await cluster.time.until(() => failures.length > 0);
    expect(failures).toEqual([expect.objectContaining({ cause: log.fetchFailure })]);
    const rest = cluster.followers(leader);
    await cluster.elect(rest);
    await cluster.time.settle(cluster.propose(rest[0], 'more'));
  });

  test.each([{ cause: { code: 'EIO' } }, {}])(
    'STORAGE_IO of %j: the leader stops',
    async (options) => {
      const { leader, log } = await withOneAway();
      log.fetchFailure = kontikiError('STORAGE_IO', 'read', options);
      cluster.heal();
      await cluster.time.until(() => cluster.node(leader).status.failure === log.fetchFailure);
    },
  );

  test.each(['EMFILE', 'ENFILE'])(
    'no descriptor to load them with (%s): asked again with each tick, and nobody stops',
    async (code) => {
      const { leader, away, texts, log } = await withOneAway();
      const cause = Object.assign(new Error('too many open files'), { code });
      log.fetchFailure = kontikiError('STORAGE_IO', 'open', { cause });
      cluster.heal();
      await cluster.time.until(() => log.fetches.length > 0);
      await cluster.time.run(5_000);
      expect(cluster.node(leader).status).toMatchObject({ lifecycle: 'open', failure: undefined });
      // A range is asked for once at a time, however often the peer was taken for lost meanwhile.
      const asked = log.fetches.length;
      await cluster.time.run(1_000);
      expect(log.fetches.length - asked).toBeGreaterThan(5);
      expect(log.fetches.length - asked).toBeLessThan(20);
      expect(cluster.texts(away)).toEqual([]);
      expect(await cluster.time.settle(cluster.propose(leader, 'meanwhile'))).toBe('did meanwhile');
      log.fetchFailure = undefined;
      await cluster.caughtUp(texts.length + 1);
      expect(cluster.texts(away)).toEqual([...texts, 'meanwhile']);
    },
  );
});
