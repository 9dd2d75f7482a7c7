// What a keyspace reads and writes for each kind of command; its answers: reference-model.test.ts.
import { describe, expect, test } from 'vitest';
import type { Command } from '../../src/mvcc/index.js';
import { encodeMeta, freshMeta } from '../../src/mvcc/meta.js';
import { SortedBackend } from './sorted-backend.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const one = (key: string) => ({ gte: key, lt: `${key}\0` });
const everything = { gte: '' };

class Fresh {
  readonly backend = new SortedBackend();
  readonly keyspace = this.backend.open();
}

describe('keyspace', () => {
  test('fresh store: revision 1, first change gets 2, a delete of nothing does not count', () => {
    const { backend, keyspace } = new Fresh();
    expect(keyspace.revision).toBe(1);
    const remove: Command = { op: 'delete', keys: one('a') };
    const put: Command = { op: 'put', key: 'a', value: bytes('1'), previous: true };
    const results = backend
      .run(keyspace, [remove, put, put, remove, remove])
      .map(({ result }) => result);
    expect(results).toMatchObject([
      { revision: 1, deleted: 0 },
      { revision: 2, previous: undefined },
      { revision: 3, previous: { version: 1 } },
      { revision: 4, deleted: 1 },
      { revision: 4, deleted: 0 },
    ]);
  });

  test('records written: two and meta for a new key, one more for a version that ends, and its move if it was the first', () => {
    const { backend, keyspace } = new Fresh();
    const put: Command = { op: 'put', key: 'a', value: bytes('1') };
    const kinds = backend
      .run(keyspace, [put, put, put, { op: 'delete', keys: one('a') }])
      .map(({ changes }) => changes.map(([key]) => key[0]).join(''));
    expect(kinds).toEqual(['cz', 'czkz', 'czk', 'czk']);
    expect(backend.records.has('m')).toBe(true);
    expect(backend.records.has('ca')).toBe(false);
  });

  test('the revision is the stored one, not the largest of surviving records', () => {
    const { backend, keyspace } = new Fresh();
    const put: Command = { op: 'put', key: 'a', value: bytes('1') };
    backend.run(keyspace, [put, { op: 'delete', keys: one('a') }]);
    for (const key of backend.records.keys()) if (key !== 'm') backend.records.delete(key);
    expect(backend.open().revision).toBe(3);
  });

  test('single-key commands share one read, a range read stands alone', () => {
    const { backend, keyspace } = new Fresh();
    const put = (key: string): Command => ({ op: 'put', key, value: bytes('1') });
    backend.reads = 0;
    backend.run(keyspace, [put('a'), put('b'), put('a')]);
    expect(backend.reads).toBe(1);
    backend.run(keyspace, [put('a'), { op: 'delete', keys: everything }, put('b'), put('c')]);
    expect(backend.reads).toBe(4);
  });

  test('one key at the latest revision is a plain record, not a range', () => {
    const { keyspace } = new Fresh();
    const query = keyspace.rangeQuery({ op: 'range', keys: one('a') });
    expect(query).toMatchObject({ done: false, plan: { keys: ['ca'], ranges: [] } });
  });

  test('a limited read fetches one record more than its limit, no matter how many there are', () => {
    const { keyspace } = new Fresh();
    const query = keyspace.rangeQuery({ op: 'range', keys: everything, limit: 5 });
    expect(query).toMatchObject({ plan: { ranges: [{ gte: 'c', lt: 'd', limit: 6 }] } });
  });

  test('transaction: a limited range sees past keys that the same transaction deletes', () => {
    const { backend, keyspace } = new Fresh();
    const names = ['a', 'b', 'c', 'd', 'e'];
    backend.run(
      keyspace,
      names.map((key) => ({ op: 'put' as const, key, value: bytes(key) })),
    );
    const success = [
      { op: 'delete' as const, keys: one('a') },
      { op: 'delete' as const, keys: one('b') },
      { op: 'range' as const, keys: everything, limit: 2 },
    ];
    const txn: Command = { op: 'txn', compares: [], success, failure: [] };
    const [execution] = backend.run(keyspace, [txn]);
    const results = [{}, {}, { kvs: [{ key: 'c' }, { key: 'd' }], more: true }];
    expect(execution!.result).toMatchObject({ results });
  });

  test('an old read while newer changes are applied between its fetches -> the old answer', () => {
    const { backend, keyspace } = new Fresh();
    const put = (value: string): Command => ({ op: 'put', key: 'a', value: bytes(value) });
    backend.run(keyspace, [put('1'), put('2')]);
    let query = keyspace.rangeQuery({ op: 'range', keys: everything, revision: 2 });
    let fetches = 0;
    while (!query.done) {
      query = query.next(backend.read(query.plan));
      fetches += 1;
      backend.run(keyspace, [put('3'), { op: 'delete', keys: everything }]);
    }
    expect(fetches).toBe(2);
    expect(query.result).toMatchObject({ revision: 3, kvs: [{ value: bytes('1') }] });
  });

  test('values are kept as they were, whatever the caller does to its buffer later', () => {
    const { backend, keyspace } = new Fresh();
    const value = bytes('old');
    backend.run(keyspace, [{ op: 'put', key: 'a', value }]);
    value.fill(0);
    const { kvs } = backend.answer(keyspace.rangeQuery({ op: 'range', keys: one('a') }));
    expect(kvs[0]!.value).toEqual(bytes('old'));
  });

  test.each([
    ['put', { op: 'put', key: '', value: bytes('') }, 'KEY_EMPTY'],
    ['put', { op: 'put', key: 'ā', value: bytes('') }, 'ARGUMENT_INVALID'],
    ['put', { op: 'put', key: 'a', value: bytes(''), lease: 2n ** 63n }, 'ARGUMENT_INVALID'],
    ['delete', { op: 'delete', keys: one('') }, 'KEY_EMPTY'],
    [
      'limit',
      txnOf(
        { op: 'range', keys: everything, limit: 0.5 },
        { op: 'put', key: 'a', value: bytes('') },
      ),
      'ARGUMENT_INVALID',
    ],
    [
      'future range after a put',
      txnOf(
        { op: 'put', key: 'a', value: bytes('') },
        { op: 'range', keys: one('a'), revision: 2 },
      ),
      'FUTURE_REVISION',
    ],
  ] as [string, Command, string][])(
    'a faulty command that skipped the check: %s -> a result, no effect',
    (_name, command, code) => {
      const { backend, keyspace } = new Fresh();
      const [execution] = backend.run(keyspace, [command]);
      expect(execution).toEqual({
        result: expect.objectContaining({ code, outcome: 'rejected' }),
        changes: [],
        events: [],
      });
      expect(keyspace.revision).toBe(1);
    },
  );

  test('a compacted revision: refused to reads and transactions, its own revision is not', () => {
    const backend = new SortedBackend();
    const meta = encodeMeta({ ...freshMeta, revision: 9, compactRevision: 5 });
    backend.records.set('m', meta);
    const keyspace = backend.open();
    const read = (revision: number) => ({ op: 'range' as const, keys: everything, revision });
    const compacted = expect.objectContaining({ code: 'COMPACTED', compactRevision: 5 });
    expect(() => keyspace.rangeQuery(read(4))).toThrow(compacted);
    expect(backend.answer(keyspace.rangeQuery(read(5))).kvs).toEqual([]);
    expect(() => keyspace.historyQuery({ fromRevision: 4, limit: 1 })).toThrow(compacted);
    const [refused, allowed] = backend.run(keyspace, [txnOf(read(4)), txnOf(read(5))]);
    expect(refused!.result).toEqual(compacted);
    expect(allowed!.result).toMatchObject({ succeeded: true });
  });
});

function txnOf(...success: Extract<Command, { op: 'txn' }>['success'][number][]): Command {
  return { op: 'txn', compares: [], success, failure: [] };
}
