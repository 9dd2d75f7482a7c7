// The store as its users call it, on one member in memory.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/preset/open-store.js';
import type { KeyValue } from '../../src/store/key-value.js';
import type { Store } from '../../src/store/store.js';

let store: Store;
beforeEach(async () => {
  store = await openStore({});
});
afterEach(() => store.close());

const error = (code: string, fields = {}) => expect.objectContaining({ code, ...fields });
const bytes = (...values: number[]) => new Uint8Array(values);
const keysOf = (kvs: readonly KeyValue[]) => kvs.map((kv) => kv.keyText());

describe('put and get', () => {
  test('a new key, then another version of it', async () => {
    const first = await store.put('a', '1');
    expect(first).toEqual({ revision: 2 });
    const second = await store.put('a', '2', { previous: true });
    expect(second.revision).toBe(3);
    expect(second.previous?.text()).toBe('1');
    expect(await store.put('b', '1', { previous: true })).toEqual({ revision: 4 });
    for (const unasked of [{}, { previous: false }]) {
      expect(await store.put('b', '2', unasked)).not.toHaveProperty('previous');
    }
    const { kv, revision } = await store.getWithRevision('a');
    expect(kv?.text()).toBe('2');
    expect([kv?.createRevision, kv?.modRevision, kv?.version, revision]).toEqual([2, 3, 2, 6]);
    expect(kv?.lease).toBeUndefined();
  });

  test('a key that is not there: undefined, and the revision all the same', async () => {
    await store.put('a', '1');
    expect(await store.get('b')).toBeUndefined();
    expect(await store.getWithRevision('b')).toEqual({ kv: undefined, revision: 2 });
  });

  test.each([
    ['a Uint8Array', () => new Uint8Array([1, 2, 3])],
    ['a Buffer', () => Buffer.from([1, 2, 3])],
    ['a part of a larger array', () => new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4)],
  ])('%s that is used again right after the call: what it held then is stored', async (_, make) => {
    const key = make();
    const value = make();
    const done = store.put(key, value);
    key.fill(0);
    value.fill(0);
    await done;
    expect((await store.get(bytes(1, 2, 3)))?.value).toEqual(bytes(1, 2, 3));
  });

  test('text is UTF-8: a key as text and its bytes are one key', async () => {
    await store.put('é€𐍈', 'ü');
    const found = await store.get(new TextEncoder().encode('é€𐍈'));
    expect([found?.keyText(), found?.text()]).toEqual(['é€𐍈', 'ü']);
  });

  test('an empty value is a value', async () => {
    await store.put('a', '');
    await store.put('b', new Uint8Array(0));
    expect((await store.get('a'))?.value).toEqual(new Uint8Array(0));
    expect((await store.get('b'))?.text()).toBe('');
  });

  test('many at once: each caller gets its own answer', async () => {
    const writes = Array.from({ length: 500 }, (_, nth) =>
      store.put(`k${nth % 7}`, `${nth}`, { previous: true }),
    );
    const answers = await Promise.all(writes);
    expect(new Set(answers.map(({ revision }) => revision)).size).toBe(500);
    await Promise.all(
      answers.map(async ({ revision, previous }, nth) => {
        const at = await store.get(`k${nth % 7}`, { revision });
        expect([at?.text(), at?.modRevision]).toEqual([`${nth}`, revision]);
        if (previous !== undefined) expect(previous.modRevision).toBeLessThan(revision);
      }),
    );
  });
});

describe('keys of all kinds', () => {
  const all = Uint8Array.from({ length: 256 }, (_, unit) => unit);
  const odd: readonly (readonly [string, string | Uint8Array])[] = [
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['toString', 'toString'],
    ['a zero byte', '\0'],
    ['zero bytes', '\0\0\0'],
    ['0xff', bytes(0xff)],
    ['a run of 0xff', new Uint8Array(300).fill(0xff)],
    ['every byte there is', all],
    ['every byte, backwards', all.slice().reverse()],
    ['a byte order mark', '\ufeff'],
    ['a slash', '/'],
    ['a long one', 'k'.repeat(100_000)],
  ];

  test.each(odd)('%s: put, found, listed, watched, deleted, and no other key', async (_, key) => {
    const as = typeof key === 'string' ? new TextEncoder().encode(key) : key;
    await store.put('neighbour', 'n');
    const watch = store.watch(key)[Symbol.asyncIterator]();
    await store.put(key, 'v');
    expect((await store.get(key))?.key).toEqual(as);
    const { kvs } = await store.range({ prefix: key });
    expect(kvs.map((kv) => kv.key)).toEqual([as]);
    const { value } = await watch.next();
    expect(value?.events[0]?.kv.key).toEqual(as);
    expect(await store.delete(key)).toMatchObject({ deleted: 1 });
    expect(await store.get(key)).toBeUndefined();
    expect(keysOf((await store.range({ prefix: '' })).kvs)).toEqual(['neighbour']);
    await watch.return?.();
  });

  test('each of the 256 bytes is a key of its own, in the order of the bytes', async () => {
    await Promise.all([...all].reverse().map((unit) => store.put(bytes(unit), bytes(unit))));
    const { kvs } = await store.range({ prefix: '' });
    expect(kvs.map((kv) => kv.key[0])).toEqual([...all]);
    expect(kvs.map((kv) => kv.value[0])).toEqual([...all]);
    const upper = await store.range({ from: bytes(0xfe), count: true });
    expect([upper.kvs.length, upper.count]).toEqual([2, 2]);
  });

  test('a key is no prefix of its own continuation', async () => {
    for (const key of ['a', 'a\0', 'a\0\0', 'a\x01', 'b']) await store.put(key, key);
    expect((await store.get('a\0'))?.text()).toBe('a\0');
    expect(await store.delete('a')).toMatchObject({ deleted: 1 });
    expect(keysOf((await store.range({ prefix: 'a' })).kvs)).toEqual(['a\0', 'a\0\0', 'a\x01']);
  });
});

describe('range', () => {
  beforeEach(async () => {
    for (const key of ['a', 'b', 'ba', 'bb', 'c']) await store.put(key, key);
  });

  test.each([
    [{ prefix: '' }, 'a b ba bb c'],
    [{ prefix: 'b' }, 'b ba bb'],
    [{ prefix: 'x' }, ''],
    [{ from: 'b' }, 'b ba bb c'],
    [{ from: 'b', to: 'bb' }, 'b ba'],
    [{ from: 'bb', to: 'b' }, ''],
    [{ from: 'b', to: 'b' }, ''],
    [{ from: '' }, 'a b ba bb c'],
    [{ from: bytes(0x62), to: bytes(0x63) }, 'b ba bb'],
  ])('%o', async (options, expected) => {
    const { kvs, more, revision, ...rest } = await store.range(options);
    expect(keysOf(kvs).join(' ')).toBe(expected);
    expect([more, revision, rest]).toEqual([false, 6, {}]);
  });

  test('a limit: as many, and whether there is more; a count counts all of them', async () => {
    const two = await store.range({ prefix: '', limit: 2, count: true });
    expect([keysOf(two.kvs), two.more, two.count]).toEqual([['a', 'b'], true, 5]);
    const all = await store.range({ prefix: '', limit: 5 });
    expect([all.kvs.length, all.more, all.count]).toEqual([5, false, undefined]);
    const none = await store.range({ prefix: 'x', count: true });
    expect([none.kvs.length, none.count]).toEqual([0, 0]);
  });
});

describe('delete', () => {
  test('one key, a range in one revision, nothing', async () => {
    for (const key of ['a', 'b', 'ba', 'c']) await store.put(key, key);
    expect(await store.delete('a')).toEqual({ revision: 6, deleted: 1 });
    expect(await store.delete({ prefix: 'b' })).toEqual({ revision: 7, deleted: 2 });
    expect(await store.delete('a')).toEqual({ revision: 7, deleted: 0 });
    expect(await store.delete({ from: '' })).toEqual({ revision: 8, deleted: 1 });
    expect((await store.range({ prefix: '' })).kvs).toEqual([]);
    expect((await store.put('a', '1', { previous: true })).previous).toBeUndefined();
    expect((await store.get('a'))?.version).toBe(1);
  });
});

describe('past revisions', () => {
  test('read as they were, deleted keys included', async () => {
    const { revision: r1 } = await store.put('a', '1');
    const { revision: r2 } = await store.put('b', '1');
    const { revision: r3 } = await store.put('a', '2');
    const { revision: r4 } = await store.delete('b');
    const at = async (revision: number) => {
      const { kvs, revision: now } = await store.range({ prefix: '', revision });
      expect(now).toBe(r4);
      return kvs.map((kv) => `${kv.keyText()}=${kv.text()}`).join(' ');
    };
    expect(await at(1)).toBe('');
    expect(await at(r1)).toBe('a=1');
    expect(await at(r2)).toBe('a=1 b=1');
    expect(await at(r3)).toBe('a=2 b=1');
    expect(await at(r4)).toBe('a=2');
    expect((await store.get('b', { revision: r3 }))?.text()).toBe('1');
    expect(await store.get('b', { revision: r4 })).toBeUndefined();
  });

  test('one that is not there yet -> FUTURE_REVISION with the newest', async () => {
    const { revision } = await store.put('a', '1');
    const future = error('FUTURE_REVISION', { revision });
    await expect(store.get('a', { revision: revision + 1 })).rejects.toEqual(future);
    await expect(store.range({ prefix: '', revision: 10 ** 9 })).rejects.toEqual(future);
  });
});

describe('signals', () => {
  const reason = new Error('enough');

  test('aborted before the call: every call rejects with the reason, and writes nothing', async () => {
    await store.put('a', '1');
    const signal = AbortSignal.abort(reason);
    const calls = [
      store.put('a', '2', { signal }),
      store.delete('a', { signal }),
      store.txn().commit({ signal }),
      store.get('a', { signal }),
      store.get('a', { revision: 2, signal }),
      store.range({ prefix: '', signal }),
    ];
    for (const end of await Promise.allSettled(calls)) {
      expect(end).toEqual({ status: 'rejected', reason });
    }
    expect((await store.get('a'))?.text()).toBe('1');
  });

  test('aborted in the turn of the call: never handed over, the reason itself', async () => {
    const abort = new AbortController();
    const write = store.put('a', '1', { signal: abort.signal });
    const read = store.get('a', { signal: abort.signal });
    abort.abort(reason);
    expect(await Promise.allSettled([write, read])).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ]);
    expect(await store.get('a')).toBeUndefined();
  });

  test('aborted after the answer: nothing happens', async () => {
    const abort = new AbortController();
    await store.put('a', '1', { signal: abort.signal });
    abort.abort(reason);
    expect((await store.get('a'))?.text()).toBe('1');
  });
});

describe('watch', () => {
  test('get, then watch from the revision after: nothing missed, nothing twice', async () => {
    await store.put('a', '1');
    const { revision } = await store.getWithRevision('a');
    await store.put('a', '2');
    const seen: string[] = [];
    for await (const batch of store.watch('a', { fromRevision: revision + 1 })) {
      for (const { type, kv, previous } of batch.events) {
        seen.push(`${type} ${kv.text()} after ${previous?.text()}`);
      }
      if (seen.length === 1) await store.delete('a');
      else break;
    }
    expect(seen).toEqual(['put 2 after 1', 'delete  after 2']);
  });

  test('an aborted signal: the iterator throws the reason', async () => {
    const abort = new AbortController();
    const watch = store.watch({ prefix: '' }, { signal: abort.signal });
    expect(await watch.startRevision).toBe(2);
    abort.abort('enough');
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toBe('enough');
  });
});

describe('against a map', () => {
  const name = fc.constantFrom('a', 'b', 'a\0', '\xff');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('put' as const), key: name, value: fc.string({ maxLength: 3 }) }),
    fc.record({ kind: fc.constant('delete' as const), key: name }),
    fc.record({ kind: fc.constant('clear' as const), prefix: name }),
  );

  test('any writes: the same state after each, and again when read back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        await store.delete({ prefix: '' });
        let model = new Map<string, string>();
        const past: [number, Map<string, string>][] = [];
        for (const action of steps) {
          model = new Map(model);
          if (action.kind === 'put') {
            const { previous } = await store.put(action.key, action.value, { previous: true });
            expect(previous?.text()).toBe(model.get(action.key));
            model.set(action.key, action.value);
          } else {
            const isOne = action.kind === 'delete';
            const gone = [...model.keys()].filter((key) => {
              return isOne ? key === action.key : key.startsWith(action.prefix);
            });
            const target = isOne ? action.key : { prefix: action.prefix };
            expect(await store.delete(target)).toMatchObject({ deleted: gone.length });
            for (const key of gone) model.delete(key);
          }
          const { kvs, revision } = await store.range({ prefix: '' });
          expect(new Map(kvs.map((kv) => [kv.keyText(), kv.text()]))).toEqual(model);
          past.push([revision, model]);
        }
        for (const [revision, then] of past) {
          const { kvs } = await store.range({ prefix: '', revision });
          expect(new Map(kvs.map((kv) => [kv.keyText(), kv.text()]))).toEqual(then);
        }
      }),
      { numRuns: 30 },
    );
  });
});
