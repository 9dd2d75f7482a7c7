// What etcd's data model promises (etcd parity §2, §3, §12), row by row where no other test says it
// alone, through the store as its users have it. parity-coverage.test.ts has the table of all rows.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Compare } from '../../src/mvcc/index.js';
import { openStore } from '../../src/preset/open-store.js';
import { cmp, op } from '../../src/store/operations.js';
import type { Store } from '../../src/store/store.js';
import type { WatchBatch } from '../../src/store/watch-batch.js';

let store: Store;
beforeEach(async () => {
  store = await openStore({});
});
afterEach(() => store.close());

const revisionNow = async (): Promise<number> => (await store.getWithRevision('none')).revision;
const namesOf = async (options: Parameters<Store['range']>[0]): Promise<string> => {
  const { kvs } = await store.range(options);
  return kvs.map((kv) => kv.keyText()).join(' ');
};
const error = (code: string, fields = {}) => expect.objectContaining({ code, ...fields });

describe('2.1 data model', () => {
  test('revisions: 1 on an empty store, one more for each request that changes a key', async () => {
    expect(await revisionNow()).toBe(1);
    expect((await store.put('a', '1')).revision).toBe(2);
    const both = await store.txn().do(op.put('a', '2'), op.put('b', '2')).commit();
    expect(both.revision).toBe(3);
    expect((await store.delete({ prefix: '' })).revision).toBe(4);
  });

  test('a put after a delete begins anew: version 1, another create revision', async () => {
    await store.put('a', '1');
    await store.put('a', '2');
    expect(await store.get('a')).toMatchObject({ createRevision: 2, modRevision: 3, version: 2 });
    await store.delete('a');
    await store.put('a', '3');
    expect(await store.get('a')).toMatchObject({ createRevision: 5, modRevision: 5, version: 1 });
  });

  test('what changes nothing takes no revision; an identical value does', async () => {
    await store.put('a', '1');
    expect((await store.delete('none')).revision).toBe(2);
    const { revision, succeeded } = await store
      .txn()
      .if(cmp.version('a').eq(9))
      .do(op.put('a', 'x'))
      .else(op.get('a'), op.delete('none'))
      .commit();
    expect([revision, succeeded]).toEqual([2, false]);
    expect((await store.put('a', '1')).revision).toBe(3);
  });
});

describe('2.2 ranges of keys', () => {
  test.each([
    ['one key, not its continuations', 'a', 1],
    ['a key and all after it', { from: 'a' }, 4],
    ['everything', { prefix: '' }, 5],
    ['a prefix', { prefix: 'a' }, 3],
    ['a prefix of 0xff', { prefix: Uint8Array.of(0xff) }, 1],
    ['from a key to before another', { from: 'a', to: 'b' }, 3],
    ['an end at the start', { from: 'a', to: 'a' }, 0],
    ['an end before the start', { from: 'b', to: 'a' }, 0],
  ])('%s', async (_name, target, count) => {
    for (const key of ['\0', 'a', 'a\0', 'ab']) await store.put(key, '');
    await store.put(Uint8Array.of(0xff, 0xff), '');
    if (typeof target !== 'string') {
      expect((await store.range({ ...target, countOnly: true })).count).toBe(count);
    }
    expect(await store.delete(target)).toMatchObject({ deleted: count });
  });
});

describe('2.3 range', () => {
  beforeEach(async () => {
    for (const key of ['a', 'b', 'c', 'd']) await store.put(key, key);
    await store.put('a', 'a');
  });

  test('read at an old revision: the answer tells the newest', async () => {
    const { kvs, revision } = await store.range({ prefix: '', revision: 3 });
    expect(kvs.map((kv) => kv.keyText())).toEqual(['a', 'b']);
    expect(revision).toBe(6);
  });

  test('count is of all that is selected; more is what the limit cut after the bounds', async () => {
    const bounds = { prefix: '', minModRevision: 4, count: true };
    expect(await store.range({ ...bounds, limit: 2 })).toMatchObject({ more: true, count: 4 });
    expect(await store.range({ ...bounds, limit: 3 })).toMatchObject({ more: false, count: 4 });
  });

  test('bounds are inclusive and come before sort and limit', async () => {
    expect(await namesOf({ prefix: '', minModRevision: 5, maxModRevision: 6 })).toBe('a d');
    expect(await namesOf({ prefix: '', minCreateRevision: 3, maxCreateRevision: 4 })).toBe('b c');
    const bounded = { prefix: '', maxModRevision: 5, order: 'descend', limit: 2 } as const;
    expect(await namesOf(bounded)).toBe('d c');
  });

  test('a sort is of all matches before the limit; equal ones come by key', async () => {
    const newest = { prefix: '', sortBy: 'modRevision', order: 'descend', limit: 2 } as const;
    expect(await namesOf(newest)).toBe('a d');
    expect(await namesOf({ prefix: '', sortBy: 'modRevision', limit: 2 })).toBe('b c');
    expect(await namesOf({ prefix: '', sortBy: 'version', limit: 3 })).toBe('b c d');
    expect(await namesOf({ prefix: '', sortBy: 'version', order: 'descend' })).toBe('a b c d');
  });

  test('keys alone: everything else is there, the lease too', async () => {
    const lease = await store.lease(60);
    await store.put('e', 'value', { lease: lease.id });
    const { kvs } = await store.range({ prefix: 'e', keysOnly: true });
    expect(kvs[0]).toMatchObject({ version: 1, lease: lease.id, value: new Uint8Array(0) });
  });

  test.each([{ sortBy: 'lease' }, { order: 'none' }, { sortBy: '__proto__' }])(
    'an order there is not: %j -> ARGUMENT_INVALID',
    async (order) => {
      const call = store.range({ prefix: '', ...order } as never);
      await expect(call).rejects.toEqual(error('ARGUMENT_INVALID'));
    },
  );
});

describe('2.5 deletes', () => {
  test('of a range: one revision, what was there by key; of nothing: the current revision', async () => {
    for (const key of ['b', 'a', 'c']) await store.put(key, key);
    const gone = await store.delete({ prefix: '' }, { previous: true });
    expect([gone.revision, gone.deleted]).toEqual([5, 3]);
    expect(gone.previous?.map((kv) => kv.keyText())).toEqual(['a', 'b', 'c']);
    expect(await store.delete({ prefix: '' })).toEqual({ revision: 5, deleted: 0 });
  });
});

describe('2.6 transactions', () => {
  const succeeds = async (...compares: Compare[]) =>
    (
      await store
        .txn()
        .if(...compares)
        .commit()
    ).succeeded;

  test('no compare holds; a range sees the writes before it', async () => {
    await store.put('b', '1');
    const { succeeded, results } = await store
      .txn()
      .do(op.put('a', '1'), op.range({ prefix: '' }), op.delete('b'), op.range({ prefix: '' }))
      .commit();
    expect(succeeded).toBe(true);
    const seen = results.map((it) => (it.op === 'range' ? it.kvs.length : it.op));
    expect(seen).toEqual(['put', 2, 'delete', 1]);
  });

  test('a missing key: all its numbers are 0, and no compare of its value holds', async () => {
    expect(await succeeds(cmp.version('x').eq(0), cmp.createRevision('x').lt(1))).toBe(true);
    expect(await succeeds(cmp.modRevision('x').eq(0), cmp.lease('x').eq(0n))).toBe(true);
    for (const result of ['eq', 'ne', 'gt', 'lt'] as const) {
      expect(await succeeds(cmp.value('x')[result](''))).toBe(false);
    }
  });

  test('a compare of a range: every key in it; an empty range is a missing key', async () => {
    await store.put('a', '1');
    await store.put('ab', '2');
    expect(await succeeds(cmp.version({ prefix: 'a' }).eq(1))).toBe(true);
    await store.put('a', '1');
    expect(await succeeds(cmp.version({ prefix: 'a' }).eq(1))).toBe(false);
    expect(await succeeds(cmp.version({ prefix: 'a' }).gt(0))).toBe(true);
    expect(await succeeds(cmp.version({ prefix: 'x' }).eq(0))).toBe(true);
    expect(await succeeds(cmp.value({ prefix: 'x' }).ne('1'))).toBe(false);
  });

  test('refused before anything happens: a range of the chosen branch that cannot be read', async () => {
    await store.put('a', '1');
    const unread = op.range({ prefix: '', revision: 9 });
    const chosen = store.txn().do(op.put('a', '2'), unread).commit();
    await expect(chosen).rejects.toEqual(error('FUTURE_REVISION', { revision: 2 }));
    expect(await revisionNow()).toBe(2);
    const other = await store.txn().do(op.put('a', '2')).else(unread).commit();
    expect(other).toMatchObject({ succeeded: true, revision: 3 });
  });

  test('nested ones: one revision for all; their compares do not see the writes around them', async () => {
    const inner = {
      if: [cmp.version('a').eq(0)],
      do: [op.put('b', '1')],
      else: [op.put('c', '1')],
    };
    const { revision } = await store.txn().do(op.put('a', '1'), op.txn(inner)).commit();
    const { kvs } = await store.range({ prefix: '' });
    expect(kvs.map((kv) => [kv.keyText(), kv.modRevision])).toEqual([
      ['a', revision],
      ['b', revision],
    ]);
  });
});

describe('3 watches', () => {
  test('an event of a delete has a key and the revision alone; a creation is told from a change', async () => {
    const watch = store.watch('a');
    await store.put('a', '1', { lease: (await store.lease(60)).id });
    await store.put('a', '2');
    await store.delete('a');
    const events: WatchBatch['events'][number][] = [];
    for await (const batch of watch) {
      events.push(...batch.events);
      if (events.length === 3) break;
    }
    const isCreation = events.map(({ kv }) => kv.createRevision === kv.modRevision);
    expect(isCreation).toEqual([true, false, false]);
    const { type, kv, previous } = events[2]!;
    expect([type, kv.keyText(), kv.modRevision]).toEqual(['delete', 'a', 4]);
    expect(kv).toMatchObject({ value: new Uint8Array(0), version: 0, createRevision: 0 });
    expect(kv.lease).toBeUndefined();
    expect(previous?.text()).toBe('2');
  });

  test('a transaction comes in one batch, whole, in the order it was written', async () => {
    const watch = store.watch({ prefix: '' });
    await store.txn().do(op.put('c', '1'), op.put('b', '1'), op.put('a', '1')).commit();
    for await (const { events, revision } of watch) {
      expect(events.map(({ kv }) => [kv.keyText(), kv.modRevision])).toEqual([
        ['c', revision],
        ['b', revision],
        ['a', revision],
      ]);
      break;
    }
  });
});

describe('12 guarantees', () => {
  test('a fencing token: a write guarded by the create revision of a key that is gone does nothing', async () => {
    const { revision: token } = await store.put('lock', 'mine');
    const guarded = store.txn().if(cmp.createRevision('lock').eq(token)).do(op.put('data', '1'));
    expect((await guarded.commit()).succeeded).toBe(true);
    await store.delete('lock');
    await store.put('lock', 'yours');
    expect((await guarded.commit()).succeeded).toBe(false);
  });
});
