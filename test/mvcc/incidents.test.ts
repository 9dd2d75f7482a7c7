// One test for each of etcd's incidents that concerns the keyspace, by the number of its issue: what
// broke there cannot happen here.
import { describe, expect, test } from 'vitest';
import type { Command, Operation } from '../../src/mvcc/index.js';
import { decodeMeta } from '../../src/mvcc/meta.js';
import { MemoryEngine } from '../../src/storage/index.js';
import { DrivenKeyspace, type EngineLives, plain } from './driven-keyspace.js';

const lives: EngineLives = {
  open: async () => new MemoryEngine(),
  reopen: async (engine) => (engine as MemoryEngine).reopen(),
  crash: async (engine) => {
    (engine as MemoryEngine).crash();
    return (engine as MemoryEngine).reopen();
  },
};
const one = (key: string) => ({ gte: key, lt: `${key}\0` });
const everything = { gte: '' };
const put = (key: string, text = 'v'): Operation & { op: 'put' } => {
  return { op: 'put', key, value: new TextEncoder().encode(text) };
};
const remove = (key: string): Operation & { op: 'delete' } => ({ op: 'delete', keys: one(key) });
const compact = (revision: number): Command => ({ op: 'compact', revision });
const txn = (...success: Operation[]): Command => ({
  op: 'txn',
  compares: [],
  success,
  failure: [],
});

async function opened(...commands: Command[]): Promise<DrivenKeyspace> {
  const driven = await DrivenKeyspace.open(lives);
  for (const command of commands) await driven.run([command]);
  return driven;
}

const eventsFrom = async (driven: DrivenKeyspace, fromRevision: number) => {
  const query = driven.keyspace.historyQuery({ fromRevision, limit: 10 });
  return (await driven.answer(query)).revisions.flatMap(({ events }) => events);
};

describe('incidents', () => {
  test('13766 applied index before its data: a crash at any flush -> an exact earlier state', async () => {
    const commands = [put('a'), put('a', '2'), remove('a'), put('b'), compact(3), put('a', '3')];
    const whole = await opened(...commands);
    for (let flushed = 0; flushed <= commands.length; flushed += 1) {
      const driven = await opened(...commands.slice(0, flushed));
      await driven.flush();
      await driven.run(commands.slice(flushed));
      const again = await driven.crash();
      expect(again).toHaveLength(commands.length - flushed);
      expect(driven.keyspace.stateHash).toBe(whole.keyspace.stateHash);
      expect(await driven.dump()).toEqual(await whole.dump());
    }
  });

  test('14685 entries applied again after a crash in a rebuild: the same revisions again', async () => {
    const driven = await opened(put('a'), put('b'));
    await driven.flush();
    const before = await driven.run([put('a', '2'), remove('b'), txn(put('c'), put('d'))]);
    expect(await driven.crash()).toEqual(before);
    expect(driven.keyspace.revision).toBe(6);
  });

  test('11651 an entry that is refused counts as applied', async () => {
    const driven = await opened(put('a'));
    const [execution] = await driven.run([compact(9)]);
    expect(execution!.result).toMatchObject({ code: 'FUTURE_REVISION' });
    await driven.flush();
    expect(driven.backend.durableIndex).toBe(2);
    await driven.reopen();
    expect(driven.backend.openedIndex).toBe(2);
  });

  test('18667 txn that reads at a compacted revision: refused by all, however far each removed', async () => {
    const commands = [put('a'), put('a', '2'), put('a', '3'), compact(4)];
    const reading = txn(put('b'), { op: 'range', keys: one('a'), revision: 3 });
    const members = [
      await opened(...commands),
      await opened(...commands),
      await opened(...commands),
    ];
    await members[1]!.slice(1);
    while (await members[2]!.slice(9));
    for (const member of members) {
      const [execution] = await member.run([reading]);
      expect(plain(execution!.result)).toEqual({ code: 'COMPACTED', compactRevision: 4 });
      expect(member.keyspace.revision).toBe(4);
      expect(member.keyspace.stateHash).toBe(members[0]!.keyspace.stateHash);
    }
  });

  test('17780, 16693 revision after a crash in a batched compaction: does not go down', async () => {
    // The last change is a delete that the compaction removes: no surviving record has its revision.
    const driven = await opened(put('a'), put('b'), remove('b'), put('a', '2'), remove('a'));
    expect(driven.keyspace.revision).toBe(6);
    await driven.run([compact(6)]);
    let slices = 0;
    while (await driven.slice(1)) {
      slices += 1;
      await driven.flush();
      await driven.crash();
      expect(driven.keyspace.revision).toBe(6);
    }
    expect(slices).toBeGreaterThan(2);
    await driven.run([put('c')]);
    expect(driven.keyspace.revision).toBe(7);
    await driven.run([compact(7)]);
    while (await driven.slice(9));
    await driven.reopen();
    expect([driven.keyspace.revision, driven.keyspace.compactRevision]).toEqual([7, 7]);
    expect((await driven.dump()).map(([key]) => key[0])).toEqual(['c', 'm', 'p', 'z']);
    const meta = (await driven.dump()).find(([key]) => key === 'm')![1];
    expect(decodeMeta(meta).revision).toBe(7);
  });

  describe('18089, 19179 a delete at the compacted revision', () => {
    // a is put at 2 and deleted at 3; b keeps the revisions going.
    const commands = [put('a'), remove('a'), put('b')];

    test.each([2, 3, 4])(
      'compacted to %i: watchers that may still start see the delete',
      async (to) => {
        const driven = await opened(...commands, compact(to));
        while (await driven.slice(1));
        await driven.reopen();
        for (let from = 1; from <= 4; from += 1) {
          if (from < to) {
            expect(() => driven.keyspace.historyQuery({ fromRevision: from, limit: 9 })).toThrow(
              expect.objectContaining({ code: 'COMPACTED', compactRevision: to }),
            );
            continue;
          }
          const seen = (await eventsFrom(driven, from)).map(({ type, key, revision }) => {
            return `${type} ${key} ${revision}`;
          });
          expect(seen).toEqual(['put a 2', 'delete a 3', 'put b 4'].slice(from - 2));
        }
        const records = (await driven.dump()).filter(([key]) => key.startsWith('z'));
        // Nothing is kept longer than that: the delete goes with the next compaction.
        expect(records).toHaveLength({ 2: 3, 3: 2, 4: 1 }[to]!);
      },
    );

    test('the next compaction takes it, and what began after it stays', async () => {
      const driven = await opened(...commands, compact(3));
      while (await driven.slice(1));
      await driven.run([put('a', 'again'), compact(5)]);
      while (await driven.slice(1));
      await driven.scrub();
      expect(await eventsFrom(driven, 5)).toMatchObject([{ type: 'put', key: 'a', revision: 5 }]);
      const query = driven.keyspace.rangeQuery({ op: 'range', keys: everything, revision: 5 });
      const { kvs } = await driven.answer(query);
      expect(kvs).toMatchObject([{ key: 'a', version: 1, createRevision: 5 }, { key: 'b' }]);
    });
  });

  test('a further compaction in the middle of one: a delete at the first is removed all the same', async () => {
    const both = txn(remove('a'), put('b'), put('c'));
    const driven = await opened(put('a'), both, compact(3));
    // Stops inside revision 3, behind the delete, which the first compaction keeps.
    await driven.slice(2);
    await driven.run([put('d'), compact(4)]);
    while (await driven.slice(2));
    const records = (await driven.dump()).filter(([key]) => key.startsWith('z'));
    expect(records).toHaveLength(3);
    await driven.scrub();
  });

  test('hash.go a delete kept by one member and dropped by another: the hash does not tell', async () => {
    const commands = [put('a'), remove('a'), put('b'), compact(3)];
    const lazy = await opened(...commands);
    const eager = await opened(...commands);
    while (await eager.slice(1));
    expect((await eager.dump()).length).toBeLessThan((await lazy.dump()).length + 1);
    expect(eager.keyspace.stateHash).toBe(lazy.keyspace.stateHash);
    await lazy.scrub();
    await eager.scrub();
    expect(lazy.keyspace.removedHash.revision).toBe(0);
    while (await lazy.slice(9));
    expect(lazy.keyspace.removedHash).toEqual(eager.keyspace.removedHash);
  });
});
