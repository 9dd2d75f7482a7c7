/**
 * What every log store has to answer, as a list that any of them can be put to: rows M. Each check gets
 * stores of its own, which begin behind a snapshot at (3, 3) with entries 4 and 5 of terms 4 and 5.
 */
import { expect } from 'vitest';
import type { ConfState, Entry } from '../../../src/raft/index.js';
import type { LogBatch, LogStore } from '../../../src/storage/log-store.js';
import { entriesOf, entryOf } from './disk.js';

export interface LogStoreRig {
  /** A new store with nothing in it. */
  readonly open: (voters: readonly number[]) => Promise<LogStore>;
  /** What an entry costs of `bytesMax`. */
  readonly costOf: (entry: Entry) => number;
  /** Whether `truncate` lets go of exactly what it may, rather than of whole files. */
  readonly truncatesExactly: boolean;
}

export interface LogStoreCheck {
  readonly name: string;
  readonly run: (rig: LogStoreRig) => Promise<void>;
}

const voters = [1, 2, 3];
const configuration: ConfState = { voters };

/** Entries of the terms from an index on, after the snapshot and 4, 5. */
async function filled(rig: LogStoreRig, ...more: readonly Entry[]): Promise<LogStore> {
  const store = await rig.open(voters);
  const last = { index: 3, term: 3 };
  const entries = [...entriesOf([4, 5], 4), ...more];
  const hardState = { term: 9, vote: 0, commit: 3 };
  await store.append({ snapshot: { last, configuration }, entries, hardState, mustSync: true });
  await store.installed(last);
  return store;
}

async function append(store: LogStore, ...entries: readonly Entry[]): Promise<void> {
  const batch: LogBatch = { entries, mustSync: true };
  await store.append(batch);
}

/** Only what is committed may be truncated. */
async function commit(store: LogStore, index: number): Promise<void> {
  await store.append({
    entries: [],
    hardState: { term: 9, vote: 0, commit: index },
    mustSync: true,
  });
}

function ids(store: LogStore): string[] {
  const entries = store.entries({ lo: store.firstIndex(), hi: store.lastIndex() + 1 }, Infinity);
  return Array.isArray(entries) ? entries.map(({ index, term }) => `${index}@${term}`) : [];
}

export const logStoreChecks: readonly LogStoreCheck[] = [
  {
    name: 'M-1: terms -> of the snapshot and of entries, none outside',
    run: async (rig) => {
      const store = await filled(rig);
      expect([2, 3, 4, 5, 6].map((index) => store.term(index))).toEqual([
        undefined,
        3,
        4,
        5,
        undefined,
      ]);
    },
  },
  {
    name: 'M-2: ranges -> gone below the first, exact, cut to a limit but not to nothing',
    run: async (rig) => {
      const store = await filled(rig, entryOf(6, 6));
      const range = (lo: number, hi: number, max = Infinity) => {
        const found = store.entries({ lo, hi }, max);
        return Array.isArray(found) ? found.map(({ index, term }) => [index, term]) : found;
      };
      expect([range(2, 6), range(3, 4)]).toEqual([undefined, undefined]);
      const all = [4, 5, 6].map((index) => [index, index]);
      expect([range(4, 5), range(4, 6), range(4, 7)]).toEqual([
        all.slice(0, 1),
        all.slice(0, 2),
        all,
      ]);
      const one = rig.costOf(entryOf(4, 4));
      const counts = [0, 2 * one, 2.5 * one, 3 * one - 1, 3 * one].map((max) => range(4, 7, max));
      expect(counts.map((found) => found?.length)).toEqual([1, 2, 2, 2, 3]);
    },
  },
  {
    name: 'M-3: first and last index -> as appended and truncated',
    run: async (rig) => {
      const store = await filled(rig);
      expect([store.firstIndex(), store.lastIndex()]).toEqual([4, 5]);
      await append(store, entryOf(5, 6));
      expect([store.firstIndex(), store.lastIndex()]).toEqual([4, 6]);
      await commit(store, 5);
      await store.truncate(4);
      if (rig.truncatesExactly) expect(store.firstIndex()).toBe(5);
      else expect([4, 5]).toContain(store.firstIndex());
      expect(store.lastIndex()).toBe(6);
    },
  },
  {
    name: 'M-4: truncated below the start -> nothing; above -> what is left, with its term before',
    run: async (rig) => {
      const left: number[] = [];
      for (const index of [2, 3, 4, 5]) {
        const store = await filled(rig);
        await commit(store, 5);
        await store.truncate(index);
        const first = store.firstIndex();
        expect(first).toBeGreaterThanOrEqual(4);
        expect(first).toBeLessThanOrEqual(Math.max(4, index + 1));
        expect(store.term(first - 1)).toBe(first - 1);
        expect(store.lastIndex()).toBe(5);
        left.push(ids(store).length);
      }
      if (rig.truncatesExactly) expect(left).toEqual([2, 2, 1, 0]);
    },
  },
  {
    name: 'M-5: a snapshot mark -> its position and members, apart from what the caller holds',
    run: async (rig) => {
      for (const index of [4, 5]) {
        const store = await filled(rig);
        const mine = { voters: [1, 2, 3] };
        const last = { index: index + 2, term: index + 2 };
        const done = store.append({
          snapshot: { last, configuration: mine },
          entries: [],
          mustSync: true,
        });
        expect(store.installing).toMatchObject({ last, configuration: { voters: [1, 2, 3] } });
        await done;
        expect([store.firstIndex(), store.lastIndex()]).toEqual([last.index + 1, last.index]);
        expect(store.term(last.index)).toBe(last.term);
        await store.installed(last);
        expect(store.installing).toBeUndefined();
      }
    },
  },
  {
    name: 'M-6: appends -> equal, replaced, extended, cut short at 4, extended at 6',
    run: async (rig) => {
      const rows: readonly [readonly Entry[], readonly string[]][] = [
        [entriesOf([4, 5], 4), ['4@4', '5@5']],
        [entriesOf([6, 6], 4), ['4@6', '5@6']],
        [entriesOf([4, 5, 5], 4), ['4@4', '5@5', '6@5']],
        [entriesOf([5], 4), ['4@5']],
        [entriesOf([5], 6), ['4@4', '5@5', '6@5']],
      ];
      for (const [entries, expected] of rows) {
        const store = await filled(rig);
        await append(store, ...entries);
        expect(ids(store)).toEqual(expected);
        expect(store.term(3)).toBe(3);
      }
    },
  },
  {
    // The core never sends entries at or below a snapshot: that they come is a bug, not news.
    name: 'M-6: appends that begin at or below the snapshot -> refused, nothing changed',
    run: async (rig) => {
      for (const entries of [entriesOf([1, 2], 1), entriesOf([3, 4, 5], 3)]) {
        const store = await filled(rig);
        await expect(append(store, ...entries)).rejects.toMatchObject({ code: 'ASSERTION' });
        expect(ids(store)).toEqual(['4@4', '5@5']);
      }
    },
  },
  {
    name: 'M-7: members without a snapshot -> accepted, and what a new store answers',
    run: async (rig) => {
      const store = await rig.open([7, 8]);
      expect(store.initialState().voters).toEqual([7, 8]);
      expect([store.firstIndex(), store.lastIndex(), store.term(0)]).toEqual([1, 0, 0]);
    },
  },
];
