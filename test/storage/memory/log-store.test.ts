import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../../src/base/errors.js';
import type { Entry } from '../../../src/raft/types.js';
import { MemoryLogStore } from '../../../src/storage/memory/log-store.js';

const entry = (term: number, index: number, size = 4): Entry => ({
  term,
  index,
  type: 'normal',
  data: new Uint8Array(size),
});
const open = () => new MemoryLogStore({ voters: [1, 2, 3] });
const ids = (store: MemoryLogStore) => {
  const found = store.entries({ lo: 1, hi: store.lastIndex() + 1 }, 1_000_000);
  return found?.map(({ term, index }) => `${term}.${index}`);
};

describe('memory log store', () => {
  test('a new one -> empty, term 0 at index 0, the voters it was given', () => {
    const store = open();
    expect([store.firstIndex(), store.lastIndex(), store.term(0)]).toEqual([1, 0, 0]);
    expect(store.term(1)).toBeUndefined();
    expect(store.initialState()).toEqual({
      hardState: { term: 0, vote: 0, commit: 0 },
      voters: [1, 2, 3],
    });
  });

  test('forgetsApplied: what was applied goes, a few hundred entries at a time, and no more', async () => {
    const store = new MemoryLogStore({ voters: [1], forgetsApplied: true });
    for (let index = 1; index <= 2_000; index += 1) {
      await store.append({ entries: [entry(1, index)], mustSync: true });
      store.applied(index - 5);
    }
    expect(store.firstIndex()).toBeGreaterThan(1_600);
    expect(store.firstIndex()).toBeLessThanOrEqual(1_996);
    expect(store.lastIndex()).toBe(2_000);
    const { initialState } = store;
    expect(initialState.call(store)).toMatchObject({ voters: [1] });
    const next = store.reopen();
    expect([next.firstIndex(), next.lastIndex()]).toEqual([store.firstIndex(), 2_000]);
  });

  test('append: seen at once, settled later and in order', async () => {
    const store = open();
    const settled: number[] = [];
    const first = store.append({ entries: [entry(1, 1), entry(1, 2)], mustSync: true });
    const second = store.append({ entries: [entry(1, 3)], mustSync: true });
    const done = [first.then(() => settled.push(1)), second.then(() => settled.push(2))];
    expect(store.lastIndex()).toBe(3);
    expect(settled).toEqual([]);
    await Promise.all(done);
    expect(settled).toEqual([1, 2]);
  });

  test('append over existing entries -> replaces everything from there', async () => {
    const store = open();
    await store.append({ entries: [entry(1, 1), entry(1, 2), entry(1, 3)], mustSync: true });
    await store.append({ entries: [entry(2, 2)], mustSync: true });
    expect(ids(store)).toEqual(['1.1', '2.2']);
    expect(store.term(3)).toBeUndefined();
  });

  test('append with a hole -> assertion', async () => {
    await expect(open().append({ entries: [entry(1, 2)], mustSync: true })).rejects.toSatisfy((e) =>
      isKontikiError(e, 'ASSERTION'),
    );
  });

  test('entries: limited by bytes -> at least one, and never past the limit otherwise', async () => {
    const store = open();
    const entries = [1, 2, 3, 4].map((index) => entry(1, index, 84));
    await store.append({ entries, mustSync: true });
    const count = (lo: number, bytesMax: number) => store.entries({ lo, hi: 5 }, bytesMax)?.length;
    expect([count(1, 0), count(1, 199), count(1, 200), count(3, 10_000)]).toEqual([1, 1, 2, 2]);
    expect(store.entries({ lo: 0, hi: 2 }, 100)).toBeUndefined();
    expect(store.entries({ lo: 5, hi: 5 }, 100)).toEqual([]);
  });

  test('crash -> the synced prefix with its hard state, overwritten entries back', async () => {
    const store = open();
    const hardState = { term: 1, vote: 2, commit: 1 };
    await store.append({ hardState, entries: [entry(1, 1), entry(1, 2)], mustSync: true });
    await store.append({ entries: [entry(2, 2), entry(2, 3)], mustSync: false });
    const last = store.append({
      hardState: { term: 2, vote: 0, commit: 1 },
      entries: [],
      mustSync: true,
    });
    store.crash();
    await expect(last).rejects.toSatisfy((e) => isKontikiError(e, 'CLOSED'));
    const next = store.reopen();
    expect(ids(next)).toEqual(['1.1', '1.2']);
    expect(next.initialState().hardState).toEqual(hardState);
  });

  test('a sync -> covers the writes before it that were not synced, and no later ones', async () => {
    const store = open();
    await store.append({ entries: [entry(1, 1)], mustSync: false });
    const synced = store.append({ entries: [entry(1, 2)], mustSync: true });
    const later = store.append({ entries: [entry(1, 3)], mustSync: false });
    await Promise.all([synced, later]);
    store.crash();
    expect(ids(store.reopen())).toEqual(['1.1', '1.2']);
  });

  test('close -> later appends refuse; a reopened store has everything', async () => {
    const store = open();
    await store.append({ entries: [entry(1, 1)], mustSync: false });
    await store.close();
    await store.close();
    await expect(store.append({ entries: [], mustSync: true })).rejects.toSatisfy((e) =>
      isKontikiError(e, 'CLOSED'),
    );
    expect(ids(store.reopen())).toEqual(['1.1']);
  });
});
