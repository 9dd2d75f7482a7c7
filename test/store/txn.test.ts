// Transactions as callers build and commit them, on one member in memory.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { openStore } from '../../src/preset/open-store.js';
import { cmp, op } from '../../src/store/operations.js';
import type { Store } from '../../src/store/store.js';

let store: Store;
beforeEach(async () => {
  store = await openStore({});
});
afterEach(() => store.close());

const error = (code: string) => expect.objectContaining({ code, outcome: 'rejected' });

describe('txn', () => {
  test('the conditions hold: the first branch, in one revision, one result per operation', async () => {
    const { revision: before } = await store.put('a', '1');
    const { succeeded, revision, results } = await store
      .txn()
      .if(cmp.modRevision('a').eq(before), cmp.version('b').eq(0))
      .do(
        op.put('a', '2', { previous: true }),
        op.put('b', '1'),
        op.get('a'),
        op.range({ prefix: '', count: true }),
      )
      .else(op.get('a'))
      .commit();
    expect([succeeded, revision]).toEqual([true, before + 1]);
    const [putA, putB, get, range] = results;
    expect(putA).toMatchObject({ op: 'put', revision, previous: { modRevision: before } });
    expect(putB).toMatchObject({ op: 'put', revision, previous: undefined });
    expect(get?.op === 'get' && get.kv?.text()).toBe('2');
    expect(range?.op === 'range' && range.kvs.map((kv) => kv.keyText())).toEqual(['a', 'b']);
    expect(range).toMatchObject({ more: false, count: 2 });
    expect((await store.get('b'))?.modRevision).toBe(revision);
  });

  test('a get of an older revision -> the version of then, beside the present one', async () => {
    const { revision } = await store.put('a', '1');
    await store.put('a', '2');
    const { results } = await store
      .txn()
      .do(op.get('a', { revision }), op.put('a', '3'), op.get('a'))
      .commit();
    const texts = results.map((result) => (result.op === 'get' ? result.kv?.text() : result.op));
    expect(texts).toEqual(['1', 'put', '3']);
  });

  test('one does not hold: the other branch', async () => {
    await store.put('a', '1');
    const txn = store.txn().if(cmp.version('a').eq(1), cmp.value('a').eq('2'));
    const { succeeded, results } = await txn
      .do(op.put('a', '3'))
      .else(op.delete('a'), op.delete('none'))
      .commit();
    expect(succeeded).toBe(false);
    expect(results).toMatchObject([
      { op: 'delete', deleted: 1 },
      { op: 'delete', deleted: 0 },
    ]);
    expect(await store.get('a')).toBeUndefined();
  });

  test('a get of a missing key: no pair, but a revision; a range without count: none', async () => {
    const { results } = await store
      .txn()
      .do(op.get('none'), op.range({ prefix: 'x' }))
      .commit();
    expect(results[0]).toEqual({ op: 'get', kv: undefined, revision: expect.any(Number) });
    expect(results[1]).toEqual({ op: 'range', kvs: [], more: false, revision: expect.any(Number) });
  });

  test('nothing at all: succeeds, and changes no revision', async () => {
    const { revision } = await store.put('a', '1');
    expect(await store.txn().commit()).toEqual({ succeeded: true, revision, results: [] });
  });

  test('the branch that did not run has no result and no effect', async () => {
    const { results } = await store.txn().if(cmp.version('a').gt(0)).do(op.put('a', '1')).commit();
    expect(results).toEqual([]);
    expect(await store.get('a')).toBeUndefined();
  });

  test('a builder: every call gives a new one, and each can be committed again', async () => {
    const base = store.txn().do(op.put('n', '1'));
    const more = base.do(op.put('m', '1'));
    const other = base.if(cmp.version('n').gt(100)).else(op.get('n'));
    await base.commit();
    await base.commit();
    expect((await store.get('n'))?.version).toBe(2);
    expect(await store.get('m')).toBeUndefined();
    expect((await more.commit()).results).toHaveLength(2);
    expect(await other.commit()).toMatchObject({ succeeded: false, results: [{ op: 'get' }] });
  });

  test('a builder is no promise: it may be awaited and returned', async () => {
    const txn = store.txn();
    expect(await txn).toBe(txn);
    expect('then' in txn).toBe(false);
  });

  test('a counter that many raise at once: none is lost', async () => {
    const raise = async (): Promise<void> => {
      const { kv } = await store.getWithRevision('n');
      const next = `${Number(kv?.text() ?? 0) + 1}`;
      const unchanged = cmp.modRevision('n').eq(kv?.modRevision ?? 0);
      const { succeeded } = await store.txn().if(unchanged).do(op.put('n', next)).commit();
      if (!succeeded) await raise();
    };
    await Promise.all(Array.from({ length: 20 }, raise));
    expect((await store.get('n'))?.text()).toBe('20');
  });
});

describe('a transaction that is refused', () => {
  const puts = (count: number, prefix = 'k') => {
    return Array.from({ length: count }, (_, nth) => op.put(`${prefix}${nth}`, ''));
  };

  test('as many operations as there may be; one more -> TOO_MANY_OPERATIONS', async () => {
    const max = limits.transactionOperationsMax;
    const compares = Array.from({ length: max }, () => cmp.version('none').eq(0));
    const full = store
      .txn()
      .if(...compares)
      .do(...puts(max))
      .else(...puts(max));
    expect((await full.commit()).results).toHaveLength(max);
    const tooMany = error('TOO_MANY_OPERATIONS');
    await expect(full.do(op.get('x')).commit()).rejects.toEqual(tooMany);
    await expect(full.else(op.get('x')).commit()).rejects.toEqual(tooMany);
    await expect(full.if(cmp.version('x').eq(0)).commit()).rejects.toEqual(tooMany);
  });

  test('one key changed twice in a branch -> DUPLICATE_KEY, and nothing changed', async () => {
    const { revision } = await store.put('a', '1');
    const twice = store.txn().do(op.put('a', '2'), op.put('a', '3'));
    await expect(twice.commit()).rejects.toEqual(error('DUPLICATE_KEY'));
    const both = store.txn().do(op.put('ab', '2'), op.delete({ prefix: 'a' }));
    await expect(both.commit()).rejects.toEqual(error('DUPLICATE_KEY'));
    expect(store.status().revision).toBe(revision);
  });

  test.each([
    ['if', 5],
    ['if', null],
    ['if', 'a'],
    ['if', op.get('a')],
    ['do', undefined],
    ['do', cmp.version('a').eq(1)],
    ['do', [op.get('a')]],
    ['else', {}],
  ])('%s(%o): neither compare nor operation -> ARGUMENT_INVALID, at once', (name, wrong) => {
    const txn = store.txn() as unknown as Record<string, (item: unknown) => unknown>;
    expect(() => txn[name]?.(wrong)).toThrow(error('ARGUMENT_INVALID'));
  });
});

describe('transactions inside transactions', () => {
  test('each chooses its branch by the state before the whole; one revision; results in their shape', async () => {
    const { revision: before } = await store.put('a', '1');
    const { succeeded, revision, results } = await store
      .txn()
      .do(
        op.put('b', '1'),
        op.txn({
          if: [cmp.version('b').eq(0), cmp.version({ prefix: '' }).eq(1)],
          do: [op.put('c', '1'), op.get('b'), op.txn({ else: [op.put('never', '1')] })],
          else: [op.put('never', '1')],
        }),
        op.txn({ if: [cmp.version('a').gt(1)], else: [op.get('a')] }),
        op.range({ prefix: '', countOnly: true }),
      )
      .commit();
    expect([succeeded, revision]).toEqual([true, before + 1]);
    expect(results).toMatchObject([
      { op: 'put', revision },
      {
        op: 'txn',
        succeeded: true,
        results: [
          { op: 'put', revision },
          { op: 'get' },
          { op: 'txn', succeeded: true, results: [] },
        ],
      },
      { op: 'txn', succeeded: false, results: [{ op: 'get' }] },
      { op: 'range', kvs: [], count: 3, more: false },
    ]);
    const inner = results[1];
    const get = inner?.op === 'txn' ? inner.results[1] : undefined;
    expect(get?.op === 'get' && get.kv?.text()).toBe('1');
    expect((await store.get('c'))?.modRevision).toBe(revision);
  });

  test('a key twice, across the levels -> DUPLICATE_KEY, nothing happened', async () => {
    const twice = store.txn().do(op.put('a', '1'), op.txn({ else: [op.put('a', '2')] }));
    await expect(twice.commit()).rejects.toEqual(error('DUPLICATE_KEY'));
    expect(await store.get('a')).toBeUndefined();
  });

  test('inside a full one there is no room -> TOO_MANY_OPERATIONS', async () => {
    const gets = Array.from({ length: limits.transactionOperationsMax - 1 }, () => op.get('a'));
    await store
      .txn()
      .do(...gets, op.txn({}))
      .commit();
    const full = store.txn().do(...gets, op.txn({ do: [op.get('a')] }));
    await expect(full.commit()).rejects.toEqual(error('TOO_MANY_OPERATIONS'));
  });
});

describe('transactions that only read', () => {
  test('answers of one moment, and no entry in the log', async () => {
    const { revision } = await store.put('a', '1');
    const { lastIndex } = store.status();
    const read = store
      .txn()
      .if(cmp.value('a').eq('1'))
      .do(op.get('a'), op.txn({ if: [cmp.version('x').gt(0)], else: [op.get('a')] }))
      .else(op.range({ prefix: '' }));
    expect(await read.commit()).toMatchObject({
      ...{ succeeded: true, revision },
      results: [{ op: 'get' }, { op: 'txn', succeeded: false, results: [{ op: 'get' }] }],
    });
    expect(store.status().lastIndex).toBe(lastIndex);
    await store.txn().do(op.get('a')).else(op.delete('none')).commit();
    expect(store.status().lastIndex).toBe(lastIndex + 1);
  });

  test('an old revision; a compacted one, a future one -> refused', async () => {
    await store.put('a', '1');
    await store.put('a', '2');
    const at = (revision: number) =>
      store
        .txn()
        .do(op.range({ prefix: 'a', revision }))
        .commit();
    const { results } = await at(2);
    expect(results[0]?.op === 'range' && results[0].kvs.map((kv) => kv.text())).toEqual(['1']);
    await store.compact(3);
    await expect(at(2)).rejects.toMatchObject({ code: 'COMPACTED', compactRevision: 3 });
    await expect(at(4)).rejects.toMatchObject({ code: 'FUTURE_REVISION', revision: 3 });
  });
});

describe('what puts keep and deletes tell', () => {
  test('ignoreValue: a new version of the same value; of a missing key -> KEY_NOT_FOUND', async () => {
    await store.put('a', '1');
    await store.put('a', '', { ignoreValue: true });
    expect(await store.get('a')).toMatchObject({ version: 2 });
    expect((await store.get('a'))?.text()).toBe('1');
    const missing = store.put('b', '', { ignoreValue: true });
    await expect(missing).rejects.toEqual(error('KEY_NOT_FOUND'));
    await expect(store.put('a', 'x', { ignoreValue: true })).rejects.toEqual(
      error('ARGUMENT_INVALID'),
    );
    const both = store.txn().do(op.put('c', '1'), op.put('b', '', { ignoreLease: true }));
    await expect(both.commit()).rejects.toEqual(error('KEY_NOT_FOUND'));
    expect(await store.get('c')).toBeUndefined();
  });

  test('previous: what was put over, when asked for', async () => {
    await store.put('a', '1');
    const told = { previous: true };
    const txn = store.txn().do(op.txn({ do: [op.put('a', '2', told)] }), op.put('b', '1', told));
    expect((await txn.commit()).results).toMatchObject([
      { op: 'txn', results: [{ op: 'put', previous: { modRevision: 2 } }] },
      { op: 'put', previous: undefined },
    ]);
    const { results } = await store.txn().do(op.put('a', '3')).commit();
    expect(results).toMatchObject([{ op: 'put', previous: undefined }]);
  });

  test('previous: what was deleted, when asked for', async () => {
    await store.put('a', '1');
    await store.put('b', '2');
    const { previous } = await store.delete({ prefix: '' }, { previous: true });
    expect(previous?.map((kv) => kv.text())).toEqual(['1', '2']);
    expect(await store.delete('a', { previous: true })).toMatchObject({ deleted: 0, previous: [] });
    expect(await store.delete('a')).not.toHaveProperty('previous');
  });
});

describe('ranges', () => {
  test('order, bounds, keys alone, count alone', async () => {
    for (const [key, value] of [...'bac'].map((name, nth) => [name, `${3 - nth}`] as const)) {
      await store.put(key, value);
    }
    await store.put('a', '9');
    const names = async (options: object) => {
      const { kvs, more } = await store.range({ prefix: '', ...options });
      return [kvs.map((kv) => kv.keyText()).join(''), more];
    };
    expect(await names({ order: 'descend' })).toEqual(['cba', false]);
    expect(await names({ order: 'descend', limit: 1 })).toEqual(['c', true]);
    expect(await names({ sortBy: 'createRevision', limit: 2 })).toEqual(['ba', true]);
    expect(await names({ sortBy: 'modRevision', order: 'descend' })).toEqual(['acb', false]);
    expect(await names({ sortBy: 'value' })).toEqual(['cba', false]);
    expect(await names({ sortBy: 'version', order: 'descend' })).toEqual(['abc', false]);
    expect(await names({ minModRevision: 4 })).toEqual(['ac', false]);
    expect(await names({ maxModRevision: 4, limit: 1 })).toEqual(['b', true]);
    expect(await names({ minCreateRevision: 3, maxCreateRevision: 3 })).toEqual(['a', false]);
    const { kvs } = await store.range({ prefix: 'a', keysOnly: true });
    expect(kvs[0]).toMatchObject({ version: 2, value: new Uint8Array(0) });
    const counted = await store.range({ prefix: '', countOnly: true, limit: 1 });
    expect(counted).toMatchObject({ kvs: [], count: 3, more: false });
  });
});
