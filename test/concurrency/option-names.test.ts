// A typo in an option would otherwise be a lock that is awaited for ever, or held for a minute too long.
import { expect, test } from 'vitest';
import { Election, lock, Mutex, openSession, tryLock } from '../../src/concurrency/index.js';
import { LockWorld } from './lock-world.js';

test('leader(): options of a range, and what is no object -> ARGUMENT_INVALID', async () => {
  const world = await LockWorld.started(1);
  const election = new Election(world.store(), 'job', { timers: world.timers });
  await world.done(world.store().put('job/1', 'first'));
  await world.done(world.store().put('job/2', 'second'));
  const wrong = [
    ...[{ order: 'descend' }, { sortBy: 'modRevision' }, { prefix: 'other/' }, { limit: 2 }],
    ...[{ revision: 1 }, { serializable: true }, { keysOnly: true }, null, 5, []],
  ] as object[];
  for (const options of wrong) {
    const refused = expect.objectContaining({ code: 'ARGUMENT_INVALID', outcome: 'rejected' });
    const leader = world.done(election.leader(options), 1_000);
    await expect(leader, JSON.stringify(options)).rejects.toEqual(refused);
  }
  const { signal } = new AbortController();
  const leader = await world.done(election.leader({ signal, timeoutMs: 1_000 }));
  expect(leader?.text()).toBe('first');
});

test('an option of an unknown name, anywhere -> ARGUMENT_INVALID, which says it; nothing is done', async () => {
  const world = await LockWorld.started(1);
  const session = await world.session();
  const store = world.store();
  const mutex = new Mutex(session, 'job');
  const election = new Election(store, 'job', { timers: world.timers });
  const typo = { timeout: 1_000 } as object;
  const calls: readonly (() => unknown)[] = [
    () => openSession(store, typo),
    () => lock(store, 'job', typo),
    () => tryLock(store, 'job', typo),
    () => mutex.lock(typo),
    () => mutex.tryLock(typo),
    () => session.close(typo),
    () => election.campaign(session, 'a', typo),
    () => election.leader(typo),
    () => election.observe(typo),
    () => new Election(store, 'job', typo),
    () => mutex.lock('timeout' as unknown as object),
  ];
  for (const call of calls) {
    const refused = expect.objectContaining({
      code: 'ARGUMENT_INVALID',
      message: expect.stringMatching(/ timeout$/),
    });
    const done = world.done((async () => call())(), 1_000);
    await expect(done, String(call)).rejects.toEqual(refused);
  }
  expect(session.lost.aborted).toBe(false);
  expect(await world.line()).toEqual([]);
});
