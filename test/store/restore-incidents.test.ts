// One test for each of etcd's incidents about a state that is taken from another member, by the number
// of its issue: what broke there cannot happen here.
import { describe, expect, test } from 'vitest';
import { drain, Member, put, streamOf, text } from './restorable-member.js';

/** A member with leases, a setting and compacted history, `changes` puts along. */
async function living(changes: number): Promise<Member> {
  const member = await Member.opened();
  await member.apply(
    { op: 'lease-grant', id: BigInt(changes), ttlSeconds: 60 },
    { op: 'put', key: 'leased', value: text('1'), lease: BigInt(changes) },
    { op: 'read-lease', leaseMs: 100 + changes },
  );
  for (let n = 0; n < changes; n += 1) await member.apply(put(`k${n % 5}`, `${changes}.${n}`));
  await member.apply({ op: 'compact', revision: Math.floor(changes / 2) });
  return member;
}

/** All that is derived from the records of a state. */
function derived({ machine }: Member) {
  const { keyspace, hub, appliedIndex } = machine;
  const { revision, compactRevision, stateHash, removedHash, readLease } = keyspace;
  const { revision: told, compactRevision: toldCompact } = hub;
  const leases = [...keyspace.leases()];
  const numbers = { revision, compactRevision, appliedIndex, told, toldCompact };
  return { ...numbers, stateHash, removedHash, readLease, leases };
}

const restored = async (target: Member, source: Member): Promise<void> => {
  const snapshot = source.machine.snapshot();
  await target.machine.restore(snapshot.appliedIndex, streamOf(await drain(snapshot)));
  target.index = snapshot.appliedIndex;
};

describe('incidents of installs', () => {
  test.each([10, 90])(
    '13933 numbers of the state before: none outlives the install, whichever was further on (%i)',
    async (own) => {
      const source = await living(40);
      const target = await living(own);
      await target.machine.flush();
      while ((await target.machine.removeCompacted(4)) !== undefined);
      await restored(target, source);
      expect(derived(target)).toEqual(derived(source));
      expect(target.machine.durableIndex).toBe(source.machine.appliedIndex);
      expect(target.machine.durableReadLease).toEqual({ leaseMs: 140, everMs: 140 });
      // And what both do next comes to the same.
      for (const member of [source, target]) {
        await member.apply(put('leased', 'again'), { op: 'lease-revoke', id: 40n }, put('k1', '!'));
        while ((await member.machine.removeCompacted(9)) !== undefined);
      }
      expect(derived(target)).toEqual(derived(source));
      expect(await target.dump()).toEqual(await source.dump());
    },
  );

  test('20653 installed while history is removed and a flush is under way: the new state alone', async () => {
    const source = await living(40);
    const target = await living(60);
    const before = target.machine.backend;
    const removal = target.machine.removeCompacted(4);
    const flush = target.machine.flush().catch((error: unknown) => error);
    await restored(target, source);
    await Promise.all([removal, flush]);
    expect(target.machine.backend).not.toBe(before);
    expect(derived(target)).toEqual(derived(source));
    expect(await target.dump()).toEqual(await source.dump());
    await target.apply(put('k0', 'goes on'));
    await target.machine.flush();
    expect(target.machine.durableIndex).toBe(target.index);
  });

  test('18055 two installs in a row: the second one’s state, and a watch that saw neither is whole', async () => {
    const source = await living(20);
    const target = await Member.opened();
    await restored(target, source);
    const { hub } = target.machine;
    const watcher = hub.watch({ keys: { gte: 'w', lt: 'x' } });
    await source.apply(put('w1', '1'));
    await restored(target, source);
    await source.apply(put('w2', '2'));
    await restored(target, source);
    expect(derived(target)).toEqual(derived(source));
    const request = watcher.catchUp();
    let query = target.machine.keyspace.historyQuery(request!);
    while (!query.done) query = query.next(await target.machine.backend.read(query.plan));
    const told = watcher.caughtUp(request!, query.result)?.flatMap(({ events }) => events);
    expect(told?.map(({ key }) => key)).toEqual(['w1', 'w2']);
  });
});
