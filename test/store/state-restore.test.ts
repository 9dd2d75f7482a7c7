// The keyspace as a stream and back: what another member gets is the same in every way that can be asked.
import { describe, expect, test } from 'vitest';
import { isKontikiError, kontikiError } from '../../src/base/errors.js';
import { encodeStatePart } from '../../src/codec/state-part-codec.js';
import type { MemoryEngine } from '../../src/storage/index.js';
import { drain, Member, put, streamOf, text } from './restorable-member.js';

/** Cuts the same bytes into pieces of `size`. */
function recut(chunks: readonly Uint8Array[], size: number): Uint8Array[] {
  const all = Buffer.concat(chunks);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < all.length; at += size) pieces.push(all.subarray(at, at + size));
  return pieces;
}

async function filled(): Promise<Member> {
  const member = await Member.opened();
  await member.apply({ op: 'lease-grant', id: 5n, ttlSeconds: 60 });
  await member.apply({ op: 'put', key: 'leased', value: text('1'), lease: 5n });
  for (let n = 0; n < 40; n += 1) {
    await member.apply(put(`k${n % 7}`, `v${n}`), put(`o${n}`, 'x'.repeat(n * 50)));
  }
  await member.apply(
    { op: 'delete', keys: { gte: 'k3', lt: 'k5' } },
    { op: 'compact', revision: 30 },
  );
  return member;
}

describe('a state from another member', () => {
  test.each([13, 4_096, 1 << 20])(
    'cut every %i bytes -> equal in hash, content, index',
    async (size) => {
      const source = await filled();
      const snapshot = source.machine.snapshot();
      const { stateHash } = source.machine.keyspace;
      const leases = [...source.machine.keyspace.leases()];
      expect(leases).toHaveLength(1);
      const dump = await source.dump();
      // What comes later is not in it.
      await source.apply(put('later', '1'), put('k0', 'other'));
      const chunks = await drain(snapshot);
      expect(snapshot.appliedIndex).toBe(84);
      const target = await Member.opened();
      await target.apply(put('gone', '1'));
      await target.machine.restore(84, streamOf(recut(chunks, size)));
      expect(target.machine.keyspace.stateHash).toBe(stateHash);
      expect(await target.dump()).toEqual(dump);
      expect(target.machine.appliedIndex).toBe(84);
      expect(target.machine.durableIndex).toBe(84);
      expect([...target.machine.keyspace.leases()]).toEqual(leases);
      // And it goes on from there.
      target.index = 84;
      await target.apply(put('later', '1'), put('k0', 'other'));
      expect(target.machine.keyspace.stateHash).toBe(source.machine.keyspace.stateHash);
      // Its compacted history is removed as on any member.
      while ((await target.machine.removeCompacted(16)) !== undefined);
      while ((await source.machine.removeCompacted(16)) !== undefined);
      expect(target.machine.keyspace.removedHash).toEqual(source.machine.keyspace.removedHash);
    },
  );

  test('in the place of one whose last changes find no space -> that stops nobody', async () => {
    const source = await filled();
    const chunks = await drain(source.machine.snapshot());
    const target = await Member.opened();
    await target.apply(put('k', '1'), put('k', '2'), { op: 'compact', revision: 3 });
    await target.machine.flush();
    // Removed while the other state is loaded, when there is room for little else.
    await target.machine.removeCompacted(16);
    const before = target.engines[0] as MemoryEngine;
    before.write = async () => {
      throw kontikiError('NO_SPACE', 'the disk is full');
    };
    await target.machine.restore(84, streamOf(chunks));
    expect(target.failed).toEqual([]);
    expect(await target.dump()).toEqual(await source.dump());
  });

  test('damage in the state of before, met while another one is on its way -> it stops nobody', async () => {
    const source = await filled();
    const chunks = await drain(source.machine.snapshot());
    const target = await Member.opened();
    await target.apply(put('k', '1'), put('k', '2'), { op: 'compact', revision: 3 });
    target.machine.backend.read = () => {
      throw kontikiError('STATE_CORRUPT', 'a record is damaged');
    };
    await expect(target.machine.removeCompacted(16)).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
    });
    await target.machine.restore(84, streamOf(chunks));
    target.index = 84;
    await target.apply(put('later', '1'));
    await source.apply(put('later', '1'));
    expect(await target.dump()).toEqual(await source.dump());
    expect(await target.machine.removeCompacted(16)).toBeGreaterThan(0);
  });

  test('interrupted half-way -> CLOSED, nothing of it is kept, and the state of before is there', async () => {
    const source = await filled();
    const pieces = recut(await drain(source.machine.snapshot()), 1_000);
    const target = await Member.opened();
    await target.apply(put('k', '1'));
    let told = 0;
    async function* chunks() {
      for (const piece of pieces) {
        told += 1;
        if (told === 3) target.machine.interrupt();
        yield piece;
      }
    }
    const dump = await target.dump();
    await expect(target.machine.restore(84, chunks())).rejects.toMatchObject({ code: 'CLOSED' });
    expect([told, await target.dump()]).toEqual([3, dump]);
    await target.machine.close();
  });

  test('a watcher -> reads what it missed from the new history; the hub is the same', async () => {
    const source = await filled();
    await source.apply(put('w', '1'), put('w', '2'));
    const target = await Member.opened();
    const { hub } = target.machine;
    const recent = hub.watch({ keys: { gte: 'w', lt: 'x' }, fromRevision: 60 });
    const old = hub.watch({ keys: { gte: 'w', lt: 'x' } });
    const chunks = await drain(source.machine.snapshot());
    await target.machine.restore(86, streamOf(chunks));
    expect(target.machine.hub).toBe(hub);
    expect(hub.epoch).toBe(1);
    expect(hub.revision).toBe(source.machine.keyspace.revision);
    const request = recent.catchUp();
    expect(request).toBeDefined();
    let query = target.machine.keyspace.historyQuery(request!);
    while (!query.done) query = query.next(await target.machine.backend.read(query.plan));
    const told = recent.caughtUp(request!, query.result)?.flatMap(({ events }) => events);
    expect(told?.map(({ current }) => new TextDecoder().decode(current?.value))).toEqual([
      '1',
      '2',
    ]);
    const missed = old.catchUp();
    let code: unknown;
    try {
      target.machine.keyspace.historyQuery(missed!);
    } catch (error) {
      code = isKontikiError(error) && error.code;
    }
    expect(code).toBe('COMPACTED');
  });

  const begin = () => encodeStatePart({ kind: 'begin', appliedIndex: 5 }).slice();
  const end = (count: number) => encodeStatePart({ kind: 'end', count }).slice();
  const record = () => encodeStatePart({ kind: 'records', records: [['m', text('?')]] }).slice();
  test.each([
    ['nothing at all', []],
    ['no beginning', [record(), end(1)]],
    ['two beginnings', [begin(), begin(), end(0)]],
    ['no end', [begin(), record()]],
    ['an end of fewer records', [begin(), record(), end(0)]],
    ['more behind the end', [begin(), end(0), record()]],
    ['half a part behind the end', [begin(), end(0), Uint8Array.of(1)]],
    ['of another entry', [encodeStatePart({ kind: 'begin', appliedIndex: 6 }).slice(), end(0)]],
  ])('%s -> refused, the state before stays', async (_, chunks) => {
    const target = await Member.opened();
    await target.apply(put('mine', '1'));
    const before = target.machine.keyspace.stateHash;
    const failed = await target.machine.restore(5, streamOf(chunks)).catch((error) => error);
    expect(isKontikiError(failed, 'SNAPSHOT_CORRUPT')).toBe(true);
    expect(target.machine.keyspace.stateHash).toBe(before);
    expect(await target.dump()).toEqual(['mine=1']);
    await target.apply(put('mine', '2'));
    expect(await target.dump()).toEqual(['mine=2']);
  });
});
