// Leases in the keyspace: what moves a key between them, what a revoke deletes, whose word counts.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Command, Keyspace } from '../../src/mvcc/index.js';
import {
  attachmentBytes,
  attachmentKey,
  attachmentRange,
  decodeLease,
  encodeLease,
  keyOfAttachment,
  leaseKey,
} from '../../src/mvcc/lease-record.js';
import { MemoryEngine } from '../../src/storage/index.js';
import { DrivenKeyspace, type EngineLives, plain } from './driven-keyspace.js';
import { placeAt } from './reference-leases.js';

const lives: EngineLives = {
  open: async () => new MemoryEngine(),
  reopen: async (engine) => (engine as MemoryEngine).reopen(),
};
const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const none = new Uint8Array(0);
const put = (key: string, lease?: bigint): Command => ({ op: 'put', key, value: none, lease });
const grant = (id: bigint, ttlSeconds = 60): Command => ({ op: 'lease-grant', id, ttlSeconds });
const revoke = (id: bigint): Command => ({ op: 'lease-revoke', id });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const key = fc.uint8Array({ maxLength: 4 }).map((units) => String.fromCharCode(...units));

async function opened(...commands: Command[]): Promise<DrivenKeyspace> {
  const driven = await DrivenKeyspace.open(lives);
  for (const command of commands) await driven.run([command]);
  return driven;
}

const keysOf = (driven: DrivenKeyspace, id: bigint) =>
  driven.answer(driven.keyspace.leaseKeysQuery(id));
const codeOf = (execution: { readonly result: object } | undefined) =>
  plain(execution?.result ?? {}) as { readonly code?: string };

describe('records', () => {
  test('record keys sort as ids do, and attachments as ids and then keys', () => {
    fc.assert(
      fc.property(int64, key, int64, key, (a, keyA, b, keyB) => {
        expect(leaseKey(a) < leaseKey(b)).toBe(a < b);
        expect(leaseKey(a) === leaseKey(b)).toBe(a === b);
        const isBefore = a < b || (a === b && keyA < keyB);
        expect(attachmentKey(a, keyA) < attachmentKey(b, keyB)).toBe(isBefore);
        const { gte, lt } = attachmentRange(a);
        const other = attachmentKey(b, keyB);
        expect(other >= gte && other < lt).toBe(a === b);
        expect(keyOfAttachment(other, attachmentBytes)).toBe(keyB);
      }),
      { numRuns: 500 * depth },
    );
  });

  test('what is encoded is decoded; a flipped bit is STATE_CORRUPT, so is another place', () => {
    const number = fc.maxSafeNat();
    fc.assert(
      fc.property(int64, number, number, number, fc.nat(), (id, ttl, remaining, index, at) => {
        const lease = { id, ttlSeconds: ttl, remainingMs: remaining, generation: index };
        const bytes = encodeLease(lease);
        expect(decodeLease(leaseKey(id), bytes)).toEqual(lease);
        const other = BigInt.asIntN(64, id + 1n);
        expect(() => decodeLease(leaseKey(other), bytes)).toThrow(/another lease/);
        const bit = at % (8 * bytes.length);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        expect(() => decodeLease(leaseKey(id), bytes)).toThrow(/checksum/);
      }),
    );
  });
});

describe('keys of a lease', () => {
  test('a put moves a key from one lease to the next, and away from all', async () => {
    const driven = await opened(grant(1n), grant(2n), put('a', 1n), put('b', 1n), put('c', 2n));
    await driven.run([put('a', 2n), put('b')]);
    expect(await keysOf(driven, 1n)).toEqual([]);
    expect(await keysOf(driven, 2n)).toEqual(['a', 'c']);
    await driven.run([put('a', 0n), { op: 'delete', keys: { gte: 'c', lt: 'c\0' } }]);
    expect(await keysOf(driven, 2n)).toEqual([]);
    await driven.scrub();
  });

  test('a put that keeps the lease keeps the attachment', async () => {
    const driven = await opened(grant(1n), put('a', 1n));
    await driven.run([{ op: 'put', key: 'a', value: none, ignoreLease: true }]);
    expect(await keysOf(driven, 1n)).toEqual(['a']);
  });

  test('revoke: exactly its keys, in key order, in one revision, whatever batch it is in', async () => {
    const keys = ['b', 'a\0', 'a', '__proto__', '\xff', '\0'];
    const driven = await opened(grant(1n), grant(2n));
    const puts = keys.map((name) => put(name, 1n));
    const executions = await driven.run([...puts, put('other', 2n), revoke(1n), put('a')]);
    const { result, events } = executions.at(-2)!;
    const revision = keys.length + 3;
    expect(result).toEqual({ op: 'lease-revoke', revision, id: 1n, deleted: keys.length });
    const deleted = [...keys].sort();
    expect(events.map((event) => [event.type, event.key, event.revision, event.sub])).toEqual(
      deleted.map((name, sub) => ['delete', name, revision, sub]),
    );
    expect(await keysOf(driven, 1n)).toEqual([]);
    expect(await keysOf(driven, 2n)).toEqual(['other']);
    await driven.scrub();
  });

  test('revoke of a lease without keys: no new revision', async () => {
    const driven = await opened(grant(1n), put('a'));
    const [execution] = await driven.run([revoke(1n)]);
    expect(execution).toMatchObject({ result: { revision: 2, deleted: 0 }, events: [] });
    expect(driven.keyspace.leaseCount).toBe(0);
  });

  test(
    'revoke of many keys: all of them in one revision, none of the others',
    async () => {
      const count = 20_000 * depth;
      const driven = await opened(grant(1n));
      const name = (nth: number) => String(nth).padStart(7, '0');
      for (let from = 0; from < count; from += 1_000) {
        const batch = Array.from({ length: 1_000 }, (_, nth) => put(name(from + nth), 1n));
        await driven.run([...batch, put(`z${from}`)]);
      }
      const { revision } = driven.keyspace;
      const [execution] = await driven.run([revoke(1n)]);
      expect(execution!.result).toMatchObject({ deleted: count, revision: revision + 1 });
      expect(execution!.events.map((event) => event.key)).toEqual(
        Array.from({ length: count }, (_, nth) => name(nth)),
      );
      const range = { op: 'range', keys: { gte: '' }, countOnly: true } as const;
      expect((await driven.answer(driven.keyspace.rangeQuery(range))).count).toBe(count / 1_000);
      await driven.scrub();
    },
    30_000 * depth,
  );
});

describe('opening', () => {
  test('leases are read, user keys and attachments are not', async () => {
    const driven = await opened(grant(1n, 5), grant(-1n, 7), put('a', 1n));
    const before = [...driven.keyspace.leases()];
    await driven.reopen();
    expect([...driven.keyspace.leases()].reverse()).toEqual(before);
    const { keys, ranges } = Keyspace.openPlan();
    const isRead = (record: string) =>
      keys.includes(record) || ranges.some(({ gte, lt }) => record >= gte && record < lt);
    const read = (await driven.dump()).map(([record]) => record).filter(isRead);
    expect(read.map((record) => record[0]).sort()).toEqual(['l', 'l', 'm']);
  });

  test('a damaged lease record: STATE_CORRUPT', async () => {
    const driven = await opened(grant(1n));
    const bytes = encodeLease({ id: 1n, ttlSeconds: 1, remainingMs: 0, generation: 1 });
    bytes[20]! ^= 1;
    driven.backend.apply([[leaseKey(1n), bytes]], 1);
    await expect(driven.reopen()).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
  });
});

describe('whose word counts', () => {
  test('12528, 15247, 16822 an expiry of another term or an earlier lease is refused', async () => {
    const driven = await opened(grant(1n), put('a', 1n));
    const { generation } = driven.keyspace.lease(1n)!;
    const { term } = placeAt(3);
    const expire = (expired: { term: number; generation: number }): Command => {
      return { op: 'lease-revoke', id: 1n, expired };
    };
    const stale = await driven.run([
      expire({ term: term + 1, generation }),
      expire({ term, generation: generation + 1 }),
    ]);
    expect(stale.map((it) => codeOf(it).code)).toEqual(['LEADER_CHANGED', 'LEASE_NOT_FOUND']);
    expect(await keysOf(driven, 1n)).toEqual(['a']);
    const [fresh] = await driven.run([expire({ term, generation })]);
    expect(fresh!.result).toMatchObject({ deleted: 1 });
  });

  test('a revoke of another lease of the id is refused; one that names none ends any', async () => {
    const driven = await opened(grant(1n), put('a', 1n));
    const { generation } = driven.keyspace.lease(1n)!;
    const named: Command = { op: 'lease-revoke', id: 1n, generation };
    const [stale] = await driven.run([{ ...named, generation: generation + 1 }]);
    expect(codeOf(stale).code).toBe('LEASE_NOT_FOUND');
    expect(stale!.changes).toEqual([]);
    expect(await keysOf(driven, 1n)).toEqual(['a']);
    const [own] = await driven.run([named]);
    expect(own!.result).toMatchObject({ deleted: 1 });
    const [, any] = await driven.run([grant(1n), revoke(1n)]);
    expect(any!.result).toMatchObject({ deleted: 0 });
  });

  test('13508 what is left is noted, and only in the term and for the lease it is about', async () => {
    const driven = await opened(grant(1n));
    const { generation } = driven.keyspace.lease(1n)!;
    const { term } = placeAt(2);
    const note = (of: number, leases: readonly { id: bigint; generation: number }[]): Command => {
      const noted = leases.map((lease) => ({ ...lease, remainingMs: 1_234 }));
      return { op: 'lease-checkpoint', term: of, leases: noted };
    };
    const [old, other] = await driven.run([
      note(term + 1, [{ id: 1n, generation }]),
      note(term, [
        { id: 1n, generation: generation + 1 },
        { id: 2n, generation },
      ]),
    ]);
    expect(codeOf(old).code).toBe('LEADER_CHANGED');
    expect(other!.result).toMatchObject({ noted: 0 });
    expect(other!.changes).toEqual([]);
    expect(driven.keyspace.lease(1n)?.remainingMs).toBe(0);
    await driven.run([note(term, [{ id: 1n, generation }])]);
    await driven.reopen();
    expect(driven.keyspace.lease(1n)?.remainingMs).toBe(1_234);
    await driven.scrub();
  });

  test('L4 a revoked id that is granted again: another lease, without the keys', async () => {
    const driven = await opened(grant(1n), put('a', 1n), revoke(1n));
    await driven.run([grant(1n, 9)]);
    const { index } = placeAt(4);
    expect(driven.keyspace.lease(1n)).toMatchObject({ generation: index, ttlSeconds: 9 });
    expect(await keysOf(driven, 1n)).toEqual([]);
  });

  test('a txn whose chosen branch puts to no lease is refused whole; the other branch may', async () => {
    const driven = await opened(put('a'));
    const good: Command = { op: 'put', key: 'b', value: none };
    const bad: Command = { op: 'put', key: 'c', value: none, lease: 9n };
    const chosen = { op: 'txn', compares: [], success: [good, bad], failure: [] } as const;
    const [refused] = await driven.run([chosen]);
    expect(codeOf(refused).code).toBe('LEASE_NOT_FOUND');
    expect(driven.keyspace.revision).toBe(2);
    const [done] = await driven.run([{ ...chosen, success: [good], failure: [bad] }]);
    expect(done!.result).toMatchObject({ op: 'txn', succeeded: true });
  });
});

describe('bad commands', () => {
  const refused: readonly (readonly [string, Command])[] = [
    ['id 0', grant(0n)],
    ['an id beyond int64', grant(2n ** 63n)],
    ['a TTL of 0', grant(1n, 0)],
    ['a TTL that is no integer', grant(1n, 1.5)],
    ['a TTL whose milliseconds are not exact', grant(1n, 2 ** 53 - 1)],
    ['a revoke of 0', revoke(0n)],
    ['an expiry in term 0', { op: 'lease-revoke', id: 1n, expired: { term: 0, generation: 1 } }],
    ['a revoke of generation 0', { op: 'lease-revoke', id: 1n, generation: 0 }],
    [
      'an expiry with two generations',
      { op: 'lease-revoke', id: 1n, generation: 1, expired: { term: 1, generation: 1 } },
    ],
    ['a checkpoint in term 0', { op: 'lease-checkpoint', term: 0, leases: [] }],
    [
      'a checkpoint of -1 ms',
      { op: 'lease-checkpoint', term: 1, leases: [{ id: 1n, generation: 1, remainingMs: -1 }] },
    ],
  ];
  test.each(refused)('%s -> ARGUMENT_INVALID, on every member', async (_, command) => {
    const driven = await opened();
    const [execution] = await driven.run([command]);
    expect(codeOf(execution).code).toBe('ARGUMENT_INVALID');
  });
});
