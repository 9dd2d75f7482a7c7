// Elections: one leads at a time, in order; and observers are told of each of them.
import { beforeEach, describe, expect, test } from 'vitest';
import { Election, type LeaderWatch } from '../../src/concurrency/index.js';
import { op } from '../../src/store/operations.js';
import { LockWorld } from './lock-world.js';

let world: LockWorld;
const election = (name = 'n1') => new Election(world.store(name), 'boss', { timers: world.timers });

/** What an observer is told, as it comes. */
function follow(watch: LeaderWatch): { readonly said: string[]; ended?: unknown } {
  const told: { readonly said: string[]; ended?: unknown } = { said: [] };
  const run = async () => {
    for await (const kv of watch) told.said.push(kv.text());
    told.ended = 'done';
  };
  run().catch((error: unknown) => {
    told.ended = error;
  });
  return told;
}

beforeEach(async () => {
  world = await LockWorld.started(4);
});

describe('election', () => {
  test('campaign, proclaim, resign -> leader() says who and what, and the next one leads', async () => {
    const [a, b] = [await world.session(), await world.session('n2')];
    expect(await world.done(election().leader())).toBeUndefined();
    const first = await world.done(election().campaign(a, 'a'));
    const second = world.watched(election('n2').campaign(b, 'b'));
    await world.run(500);
    const leader = await world.done(election('n3').leader());
    expect([leader?.text(), leader?.createRevision, leader?.lease]).toEqual([
      'a',
      first.token,
      a.lease.id,
    ]);
    await world.done(first.proclaim('a, later'));
    expect((await world.done(election('n3').leader()))?.text()).toBe('a, later');
    expect([first.lost.aborted, second.state]).toEqual([false, 'open']);
    await world.done(first.resign());
    await world.until(() => second.state === 'ok');
    expect(second.value?.token).toBeGreaterThan(first.token);
    expect((await world.done(election('n3').leader()))?.text()).toBe('b');
    await expect(world.done(first.proclaim('still me'))).rejects.toMatchObject({
      code: 'OWNERSHIP_LOST',
    });
  });

  test('proclaim, its key deleted from outside -> OWNERSHIP_LOST, written nothing, lost', async () => {
    const leadership = await world.done(election().campaign(await world.session(), 'a'));
    const removed = world.store().delete(leadership.key);
    await expect(world.done(leadership.proclaim('b'))).rejects.toMatchObject({
      code: 'OWNERSHIP_LOST',
    });
    await world.done(removed);
    expect(leadership.lost.aborted).toBe(true);
    expect(await world.line()).toEqual([]);
  });

  test('a value that is none -> ARGUMENT_INVALID, and the election can go on', async () => {
    const session = await world.session();
    const wrong = election().campaign(session, 7 as unknown as string);
    await expect(world.done(wrong)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    await world.run(500);
    const leadership = await world.done(election().campaign(session, new Uint8Array([1])));
    const again = leadership.proclaim(7 as unknown as string);
    await expect(world.done(again)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    expect(leadership.lost.aborted).toBe(false);
  });

  test('a value that changes right after the call -> what it was then is said', async () => {
    const session = await world.session();
    const value = new TextEncoder().encode('before');
    const campaign = election().campaign(session, value);
    value.fill(0);
    const leadership = await world.done(campaign);
    expect((await world.done(election().leader()))?.text()).toBe('before');
    const later = new TextEncoder().encode('later');
    const proclaimed = leadership.proclaim(later);
    later.fill(0);
    await world.done(proclaimed);
    expect((await world.done(election().leader()))?.text()).toBe('later');
  });

  test('a value that is none takes no place: another campaign of the session right behind it leads', async () => {
    const session = await world.session();
    const wrong = election().campaign(session, 7 as unknown as string);
    const right = election().campaign(session, 'a');
    await expect(wrong).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    expect((await world.done(right)).lost.aborted).toBe(false);
  });

  test('campaign, aborted -> the reason, and the candidate is gone', async () => {
    const [a, b] = [await world.session(), await world.session('n2')];
    const first = await world.done(election().campaign(a, 'a'));
    const abort = new AbortController();
    const second = world.watched(election().campaign(b, 'b', { signal: abort.signal }));
    await world.run(500);
    expect(await world.line()).toHaveLength(2);
    abort.abort(new Error('enough'));
    await world.run(500);
    expect(second.error).toMatchObject({ message: 'enough' });
    expect(await world.line()).toEqual([first.key]);
  });

  test('the leader is cut off -> another one leads, after lost has fired at the first', async () => {
    const name = world.follower;
    const other = world.cluster.leader() as string;
    const first = await world.done(election(name).campaign(await world.session(name, 3), 'a'));
    const next = election(other).campaign(await world.session(other, 3), 'b');
    await world.run(500);
    world.cluster.sim.network.isolate(name);
    const second = await world.done(next);
    expect(first.lost.aborted).toBe(true);
    expect(second.token).toBeGreaterThan(first.token);
  });
});

describe('observe', () => {
  test('every leader and proclamation in order, on every member, none twice', async () => {
    const told = world.cluster.names.map((name) => follow(election(name).observe()));
    await world.run(500);
    const expected: string[] = [];
    for (const at of [1, 2, 3]) {
      const session = await world.session(`n${at}`);
      const leadership = await world.done(election(`n${at}`).campaign(session, `${at}`));
      await world.done(leadership.proclaim(`${at} again`));
      await world.done(leadership.resign());
      expected.push(`${at}`, `${at} again`);
    }
    await world.run(500);
    for (const { said } of told) expect(said).toEqual(expected);
  });

  test('short leaderships while the observer does not ask -> all of them', async () => {
    const iterator = election('n3').observe()[Symbol.asyncIterator]();
    const begun = iterator.next();
    // It looks at who is there before it watches.
    await world.run(200);
    const sessions = [];
    for (let at = 0; at < 4; at += 1) sessions.push(await world.session());
    const campaigns = sessions.map(async (session, at) => {
      await (await election().campaign(session, `${at}`)).resign();
    });
    await world.done(Promise.all(campaigns));
    const said = [(await world.done(begun)).value?.text()];
    while (said.length < 4) said.push((await world.done(iterator.next())).value?.text());
    expect(said.toSorted()).toEqual(['0', '1', '2', '3']);
    const last = iterator.next();
    void iterator.return?.();
    expect(await world.done(last)).toMatchObject({ done: true });
  });

  test('the leader and the next one end in one revision -> the next one never led', async () => {
    const told = follow(election('n2').observe());
    await world.run(200);
    for (const key of ['boss/1', 'boss/2', 'boss/3']) {
      await world.done(world.store().put(key, key));
    }
    await world.done(world.store().txn().do(op.delete('boss/1'), op.delete('boss/2')).commit());
    await world.run(500);
    expect(told.said).toEqual(['boss/1', 'boss/3']);
  });

  test('candidates that come and go behind the leader -> not told', async () => {
    const leadership = await world.done(election().campaign(await world.session(), 'a'));
    const told = follow(election('n2').observe());
    const abort = new AbortController();
    const waiting = world.watched(
      election().campaign(await world.session(), 'b', { signal: abort.signal }),
    );
    await world.run(500);
    abort.abort();
    await world.run(500);
    expect([told.said, waiting.state]).toEqual([['a'], 'failed']);
    await world.done(leadership.resign());
  });

  test('a member that was away -> goes on from where it was, or from the present', async () => {
    const name = world.follower;
    const other = world.cluster.leader() as string;
    const told = follow(election(name).observe());
    const leadership = await world.done(election(other).campaign(await world.session(other), 'a'));
    await world.until(() => told.said.length === 1);
    world.cluster.machine(name).pause();
    for (const what of ['b', 'c']) await world.done(leadership.proclaim(what));
    const { revision } = world.store(other).status();
    await world.done(world.store(other).compact(revision));
    world.cluster.machine(name).resume();
    await world.until(() => told.said.at(-1) === 'c');
    expect(new Set(told.said).size).toBe(told.said.length);
  });

  test('signal and close -> it ends with the reason, or with CLOSED', async () => {
    const abort = new AbortController();
    const aborted = follow(election().observe({ signal: abort.signal }));
    const closed = follow(election().observe());
    await world.run(500);
    abort.abort(new Error('enough'));
    await world.until(() => aborted.ended !== undefined);
    expect(aborted.ended).toMatchObject({ message: 'enough' });
    await world.done(world.store().close());
    await world.until(() => closed.ended !== undefined);
    expect(closed.ended).toMatchObject({ code: 'CLOSED' });
  });
});
