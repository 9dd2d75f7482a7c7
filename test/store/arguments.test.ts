// What callers pass in by mistake: a table of everything that must be refused, before it is sent, with
// a sentence that says what was expected and what came.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { limits } from '../../src/base/limits.js';
import type { Compare } from '../../src/mvcc/types.js';
import { openStore } from '../../src/preset/open-store.js';
import { cmp, op, type TxnOperation } from '../../src/store/operations.js';
import type { Store } from '../../src/store/store.js';

let store: Store;
let revision = 0;
beforeAll(async () => {
  store = await openStore({});
  revision = (await store.put('before', '1')).revision;
});
afterAll(async () => {
  // Not one of the calls below may have reached the keyspace.
  expect(store.status()).toMatchObject({ revision, pendingWrites: 0 });
  await store.close();
});

type Loose = Record<string, (...args: unknown[]) => unknown>;
const loose = () => store as unknown as Loose;

/** The error of a call, thrown or rejected. */
async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return 'nothing was thrown';
}

async function expectRefusal(call: () => unknown, code: string): Promise<void> {
  const error = await errorOf(call);
  expect(error).toMatchObject({ code, outcome: 'rejected' });
  if (!isKontikiError(error)) return;
  expect(error.message).toMatch(/expected .+, got .+|a key has at least one byte/);
}

const title = (value: unknown): string => {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return typeof value === 'string' ? `'${value}'` : String(value);
};
const titled = <T>(values: readonly T[]) => values.map((value) => [title(value), value] as const);

const noBytes = titled([5, null, {}, [], [1], true, 1n, Symbol('s'), () => '', new ArrayBuffer(1)]);

describe('keys', () => {
  const calls: readonly (readonly [string, (key: unknown) => unknown])[] = [
    ['put', (key) => loose().put?.(key, 'x')],
    ['get', (key) => loose().get?.(key)],
    ['getWithRevision', (key) => loose().getWithRevision?.(key)],
  ];
  describe.each(calls)('%s', (_, call) => {
    test.each([...noBytes, ['undefined', undefined] as const])(
      '%s -> ARGUMENT_INVALID',
      (_name, key) => {
        return expectRefusal(() => call(key), 'ARGUMENT_INVALID');
      },
    );
    test.each(titled(['', new Uint8Array(0)]))('%s -> KEY_EMPTY', (_name, key) => {
      return expectRefusal(() => call(key), 'KEY_EMPTY');
    });
  });
});

describe('values', () => {
  test.each([...noBytes, ['undefined', undefined] as const])(
    '%s -> ARGUMENT_INVALID',
    (_, value) => {
      return expectRefusal(() => loose().put?.('key', value), 'ARGUMENT_INVALID');
    },
  );
});

describe('targets and ranges', () => {
  const targets: readonly (readonly [string, (target: unknown) => unknown])[] = [
    ['delete', (target) => loose().delete?.(target)],
    ['watch', (target) => loose().watch?.(target)],
    ['range', (target) => loose().range?.(target)],
  ];
  const wrong = titled([
    5,
    null,
    undefined,
    [],
    true,
    {},
    { prefix: 5 },
    { prefix: null },
    { prefix: 'a', from: 'a' },
    { prefix: 'a', to: 'b' },
    { to: 'b' },
    { from: null },
    { from: 'a', to: null },
    { from: 'a', to: 5 },
    { from: 'a', until: 'b' },
    { key: 'a' },
  ]);
  describe.each(targets)('%s', (_, call) => {
    test.each(wrong)('%s -> ARGUMENT_INVALID', (_name, target) => {
      return expectRefusal(() => call(target), 'ARGUMENT_INVALID');
    });
  });

  test.each(['', new Uint8Array(0)])(
    'delete and watch of the empty key -> KEY_EMPTY',
    async (key) => {
      await expectRefusal(() => store.delete(key), 'KEY_EMPTY');
      await expectRefusal(() => store.watch(key), 'KEY_EMPTY');
    },
  );

  test.each(titled([0, -1, 1.5, Number.NaN, Infinity, '1', null, 1n, 2 ** 53]))(
    'a limit, a revision, a fromRevision of %s -> ARGUMENT_INVALID',
    async (_, number) => {
      const invalid = (call: () => unknown) => expectRefusal(call, 'ARGUMENT_INVALID');
      await invalid(() => loose().range?.({ prefix: '', limit: number }));
      await invalid(() => loose().range?.({ prefix: '', revision: number }));
      await invalid(() => loose().get?.('key', { revision: number }));
      await invalid(() => loose().watch?.('key', { fromRevision: number }));
    },
  );

  test.each(titled([1, 0, 'yes', null, {}]))('a count of %s -> ARGUMENT_INVALID', (_, count) => {
    return expectRefusal(() => loose().range?.({ prefix: '', count }), 'ARGUMENT_INVALID');
  });
});

describe('options of every call', () => {
  const calls: readonly (readonly [string, (options: unknown) => unknown])[] = [
    ['put', (options) => loose().put?.('key', 'x', options)],
    ['get', (options) => loose().get?.('key', options)],
    ['getWithRevision', (options) => loose().getWithRevision?.('key', options)],
    ['delete', (options) => loose().delete?.('key', options)],
    ['commit', (options) => store.txn().commit(options as never)],
    ['watch', (options) => loose().watch?.('key', options)],
    ['members.list', (options) => store.members.list(options as never)],
  ];
  describe.each(calls)('%s', (name, call) => {
    test.each(
      titled<unknown>([null, [], 'x', 5, { timeout: 5 }, { Signal: 1 }, { constructor: 1 }]),
    )('%s -> ARGUMENT_INVALID', (_, options) =>
      expectRefusal(() => call(options), 'ARGUMENT_INVALID'),
    );
    test.each(titled([null, {}, 5, 'x', { throwIfAborted() {} }, { aborted: false }]))(
      'a signal of %s -> ARGUMENT_INVALID',
      (_, signal) => expectRefusal(() => call({ signal }), 'ARGUMENT_INVALID'),
    );
    test.each(titled([0, -1, Number.NaN, Infinity, '5', null, 5n, 2 ** 31]))(
      'a timeout of %s -> ARGUMENT_INVALID',
      (_, timeoutMs) => expectRefusal(() => call({ timeoutMs }), 'ARGUMENT_INVALID'),
    );
    test('undefined options are none', async () => {
      if (name === 'put' || name === 'watch') return;
      await call({ signal: undefined, timeoutMs: undefined });
      await call(undefined);
    });
  });

  test('an unknown option is named, with those there are', async () => {
    const error = await errorOf(() => loose().put?.('key', 'x', { timeout: 5 }));
    expect(error).toMatchObject({ message: expect.stringMatching(/timeoutMs.*got timeout$/) });
  });

  test('only a watch throws; every other call rejects', () => {
    expect(() => loose().watch?.(5)).toThrow();
    for (const name of ['put', 'get', 'getWithRevision', 'delete', 'range']) {
      const promise = loose()[name]?.(5, 5, 5);
      expect(promise).toBeInstanceOf(Promise);
      (promise as Promise<unknown>).catch(() => undefined);
    }
  });
});

describe('transactions made by hand', () => {
  const keys = { gte: 'a', lt: 'a\0' };
  const compare = { target: 'version', result: 'equal', keys, operand: 1 };
  const put = { op: 'put', key: 'a', value: new Uint8Array(1) };
  const wrongCompares: readonly (readonly [string, unknown])[] = [
    ['an unknown result', { ...compare, result: 'eq' }],
    ['no result', { ...compare, result: undefined }],
    ['an unknown target', { ...compare, target: 'ver' }],
    ['a target of every object', { ...compare, target: 'constructor' }],
    ['a target that is a symbol', { ...compare, target: Symbol('version') }],
    ['no keys', { ...compare, keys: undefined }],
    ['keys that are a number', { ...compare, keys: { gte: 5, lt: 6 } }],
    ['an end that is null', { ...compare, keys: { gte: 'a', lt: null } }],
  ];
  test.each(wrongCompares)(
    'a compare with %s -> ARGUMENT_INVALID, write or read',
    async (_, it) => {
      const refused = { code: 'ARGUMENT_INVALID', outcome: 'rejected' };
      const txn = store.txn().if(it as Compare);
      expect(await errorOf(() => txn.do(op.put('a', '1')).commit())).toMatchObject(refused);
      expect(await errorOf(() => txn.do(op.get('a')).commit())).toMatchObject(refused);
      const inner = op.txn({ if: [it as Compare], do: [op.put('a', '1')] });
      expect(await errorOf(() => store.txn().do(inner).commit())).toMatchObject(refused);
    },
  );

  const wrongOperations: readonly (readonly [string, unknown])[] = [
    ['of an unknown kind', { op: 'puts' }],
    ['of a kind that is a symbol', { op: Symbol('put') }],
    ['of no kind', {}],
    ['that is null', null],
    ['that is a text', 'put'],
    ['without a key', { ...put, key: undefined }],
    ['without a value', { ...put, value: undefined }],
    ['with a lease that is null', { ...put, lease: null }],
    ['with a count that is a text', { op: 'range', keys, count: 'yes' }],
    ['with an order that is null', { op: 'range', keys, sort: null }],
    ['without keys', { op: 'delete' }],
    ['of lists that are none', { op: 'txn', compares: 1, success: [], failure: [] }],
    ['of lists of nothing', { op: 'txn', compares: [], success: [null], failure: [] }],
    ['of compares that are none', { op: 'txn', compares: [null], success: [], failure: [] }],
  ];
  test.each(wrongOperations)('an operation %s -> ARGUMENT_INVALID', async (_, operation) => {
    const refused = { code: 'ARGUMENT_INVALID', outcome: 'rejected' };
    const made = { kind: 'put', operation } as TxnOperation;
    const alone = () => store.txn().do(made).commit();
    expect(await errorOf(alone)).toMatchObject(refused);
    const beside = () => store.txn().do(op.put('b', '1'), made).commit();
    expect(await errorOf(beside)).toMatchObject(refused);
  });

  test('20,000 inside each other, of puts or of reads -> TOO_MANY_OPERATIONS', async () => {
    for (const innermost of [op.put('a', '1'), op.get('a')]) {
      let made: TxnOperation = innermost;
      for (let level = 0; level < 20_000; level += 1) made = op.txn({ do: [made] });
      const tooMany = { code: 'TOO_MANY_OPERATIONS', outcome: 'rejected' };
      expect(await errorOf(() => store.txn().do(made).commit())).toMatchObject(tooMany);
    }
  });
});

describe('what selects nothing', () => {
  const empty = [
    { from: '', to: '\0' },
    { from: new Uint8Array(0), to: new Uint8Array(1) },
    { from: 'a', to: 'a' },
    { from: 'b', to: 'a' },
  ];
  test.each(titled(empty))('%s -> no keys, of each call', async (_, target) => {
    expect((await store.range(target)).kvs).toEqual([]);
    expect(await store.scan(target).nextPage()).toBeUndefined();
    expect(await store.delete(target)).toEqual({ revision, deleted: 0 });
    const asMissing = store.txn().if(cmp.version(target).eq(0)).do(op.delete(target));
    expect(await asMissing.commit()).toMatchObject({ succeeded: true, revision });
    // Nothing would ever come.
    expect(await errorOf(() => store.watch(target))).toMatchObject({ code: 'ARGUMENT_INVALID' });
  });
});

describe('text that is not well formed', () => {
  const texts = ['\ud800', 'x\udc00', '\udc00\ud800', 'é\ud83d!'];
  test.each(titled(texts))(
    '%j as a key -> ARGUMENT_INVALID: another one has its bytes',
    async (_, it) => {
      const calls: readonly (() => unknown)[] = [
        () => store.put(it, '1'),
        () => store.get(it),
        () => store.delete(it),
        () => store.delete({ from: it, to: it }),
        () => store.range({ prefix: it }),
        () => store.range({ from: 'a', to: it }),
        () => store.scan({ from: it }),
        () => store.watch(it),
        () => op.put(it, '1'),
        () => op.get(it),
        () => cmp.version(it),
      ];
      for (const call of calls) await expectRefusal(call, 'ARGUMENT_INVALID');
    },
  );

  test('every other text is a key', async () => {
    for (const text of ['é', '\ud83d\ude00', '\uffff', '\ufeffa', '\ud7ff\ue000']) {
      expect(await store.get(text)).toBeUndefined();
    }
  });
});

describe('the size of a request', () => {
  const small = async (call: () => Promise<unknown>): Promise<boolean> => {
    const error = await errorOf(call);
    if (error === 'nothing was thrown') return true;
    expect(error).toMatchObject({ code: 'REQUEST_TOO_LARGE', outcome: 'rejected' });
    return false;
  };
  // A store of its own: its revision moves.
  let own: Store;
  beforeAll(async () => {
    own = await openStore({});
  });
  afterAll(() => own.close());

  test('1.5 MiB with everything around: the last byte that fits, and one more', async () => {
    const put = (key: number, value: number) => {
      return small(() => own.put('k'.repeat(key), new Uint8Array(value)));
    };
    let fits = limits.requestBytesMax - 200;
    let tooLarge = limits.requestBytesMax;
    expect([await put(1, fits), await put(1, tooLarge)]).toEqual([true, false]);
    while (tooLarge - fits > 1) {
      const middle = Math.floor((fits + tooLarge) / 2);
      if (await put(1, middle)) fits = middle;
      else tooLarge = middle;
    }
    expect([await put(1, fits - 1), await put(1, fits), await put(1, fits + 1)]).toEqual([
      true,
      true,
      false,
    ]);
    // The key counts as the value does.
    expect([await put(101, fits - 101), await put(101, fits)]).toEqual([true, false]);
    expect((await own.get('k'))?.value.length).toBe(fits);
  });

  test('a delete and a transaction are measured too', async () => {
    const key = 'k'.repeat(limits.requestBytesMax);
    expect(await small(() => own.delete(key))).toBe(false);
    expect(await small(() => own.delete({ from: key, to: key }))).toBe(false);
    const txn = own.txn();
    const half = new Uint8Array(limits.requestBytesMax / 2);
    expect(await small(() => txn.do(op.put('a', half)).commit())).toBe(true);
    expect(await small(() => txn.do(op.put('a', half), op.put('b', half)).commit())).toBe(false);
  });
});
