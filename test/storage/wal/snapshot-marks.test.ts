// A snapshot takes the log's place: what the marks say is there after every crash and every restart.
import { describe, expect, test } from 'vitest';
import type { SnapshotMark } from '../../../src/storage/log-store.js';
import { openWal, readWal, type WalLogStore } from '../../../src/storage/wal/index.js';
import { FakeFiles, Gate, settled } from './fake-files.js';
import {
  allEntries,
  append,
  changed,
  crashAtEachStep,
  dir,
  entries,
  expectRefused,
  openLog,
  segmentPath,
  tailOf,
} from './log.js';

const options = { segmentBytes: 2_048, preallocateBytes: 512 };
const configuration = { voters: [4, 5], votersOutgoing: [1, 2], learners: [9], autoLeave: true };
const snapshot: SnapshotMark = { last: { term: 3, index: 100 }, configuration };
const state = (commit: number, term = 1) => ({ term, vote: 1, commit });

async function oldLog(fs: FakeFiles, last = 20): Promise<WalLogStore> {
  const log = await openLog(fs, options);
  for (let at = 1; at <= last; at += 1)
    await append(log, entries(1, at, at + 1, 300), state(at - 1));
  return log;
}

const install = (log: WalLogStore, added = entries(3, 101, 103)): Promise<void> =>
  log.append({ snapshot, entries: added, hardState: state(100, 3), mustSync: true });

describe('a snapshot in the place of the log', () => {
  test('empties it to the snapshot’s last entry, now and after restarts', async () => {
    const fs = new FakeFiles();
    const log = await oldLog(fs);
    const done = install(log);
    // What is on its way has no place yet.
    expect([log.bytesAbove(0), log.bytesAbove(101)]).toEqual([0, 0]);
    const check = async (open: WalLogStore): Promise<void> => {
      expect([open.firstIndex(), open.lastIndex()]).toEqual([101, 102]);
      expect([open.term(99), open.term(100), open.term(101)]).toEqual([undefined, 3, 3]);
      expect(open.installing).toEqual(snapshot);
      expect(await allEntries(open)).toEqual(entries(3, 101, 103));
      expect(open.entries({ lo: 20, hi: 21 }, 1e9)).toBeUndefined();
    };
    await check(log);
    await done;
    await log.close();
    const again = await openLog(fs, { ...options, applied: 20 });
    await check(again);
    expect(again.initialState()).toEqual({ hardState: state(100, 3), ...configuration });
    await again.installed(snapshot.last);
    expect(again.installing).toBeUndefined();
    await again.close();
    const third = await openLog(fs, { ...options, applied: 100 });
    expect(third.installing).toBeUndefined();
    expect(await allEntries(third)).toEqual(entries(3, 101, 103));
    await third.close();
  });

  test('then a truncation -> the segments of the old log go, the marks stay', async () => {
    const fs = new FakeFiles();
    const log = await oldLog(fs);
    await install(log);
    const before = (await fs.list(dir)).length;
    await log.truncate(100);
    expect((await fs.list(dir)).length).toBeLessThan(before / 2);
    for (let at = 103; at <= 130; at += 1) {
      await append(log, entries(3, at, at + 1, 300), state(at, 3));
    }
    // Heads carry an install that is not done.
    await log.truncate(125);
    await log.close();
    const again = await openLog(fs, { ...options, applied: 130 });
    expect(again.installing).toEqual(snapshot);
    expect(again.initialState()).toMatchObject({ hardState: state(130, 3), voters: [4, 5] });
    expect(await allEntries(again)).toEqual(entries(3, again.firstIndex(), 131, 300));
    expect(again.firstIndex()).toBeGreaterThan(110);
    await again.installed(snapshot.last);
    await again.close();
    expect((await openLog(fs, options)).installing).toBeUndefined();
  });

  test('entries still on their way -> none of them shows again', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { ...options, cacheBytes: 0 });
    const gate = new Gate((step) => step.kind === 'sync');
    fs.before = gate.before;
    const writes = [append(log, entries(1, 1, 9, 300), state(0))];
    await settled();
    writes.push(
      append(log, entries(1, 9, 12, 300)),
      install(log),
      append(log, entries(3, 103, 105)),
    );
    gate.open();
    await Promise.all(writes);
    log.applied(104);
    expect(await allEntries(log)).toEqual(entries(3, 101, 105));
    await log.close();
    expect(await allEntries(await openLog(fs, options))).toEqual(entries(3, 101, 105));
  });

  test('at or below what the log has, uncommitted and of another term -> replaces it', async () => {
    const fs = new FakeFiles();
    const log = await oldLog(fs);
    const last = { term: 3, index: 19 };
    await log.append({ snapshot: { last, configuration }, entries: [], mustSync: true });
    await append(log, entries(3, 20, 60, 300), state(59, 3));
    log.applied(59);
    for (const index of [19, 40, 59]) {
      await log.truncate(index);
      const again = await openLog(new FakeFiles(fs.image()), options);
      expect(again.firstIndex()).toBe(log.firstIndex());
      expect(await allEntries(again)).toEqual(entries(3, log.firstIndex(), 60, 300));
      await again.close();
    }
    await log.close();
  });

  test.each<[string, (log: WalLogStore) => Promise<void>]>([
    [
      'a snapshot of less than is committed',
      (log) =>
        log.append({
          snapshot: { last: { term: 1, index: 18 }, configuration },
          entries: [],
          mustSync: true,
        }),
    ],
    ['an install that never began', (log) => log.installed({ term: 1, index: 19 })],
  ])('%s -> assertion, and nothing of it is written', async (_, act) => {
    const fs = new FakeFiles();
    const log = await oldLog(fs);
    await expect(act(log)).rejects.toMatchObject({ code: 'ASSERTION' });
    await log.close();
    const again = await openLog(fs, options);
    expect(await allEntries(again)).toEqual(entries(1, 1, 21, 300));
    await again.close();
  });

  test('a crash before or after each step of an install -> the old log, or the new one', async () => {
    const start = new FakeFiles();
    await (await oldLog(start)).close();
    const seen = new Set<string>();
    const left = await crashAtEachStep(start.image(), options, async (log) => {
      await install(log);
      await log.installed(snapshot.last);
      await log.truncate(100);
    });
    for (const { image, what } of left) {
      const log = await openLog(new FakeFiles(image), options);
      const isNew = log.firstIndex() > 1;
      const expected = isNew ? entries(3, 101, 103) : entries(1, 1, 21, 300);
      expect(await allEntries(log), what).toEqual(expected);
      expect(log.initialState().hardState, what).toEqual(isNew ? state(100, 3) : state(19));
      seen.add(`${isNew} ${log.installing !== undefined}`);
      if (log.installing !== undefined) {
        expect(log.installing, what).toEqual(snapshot);
        // The next open finishes the work.
        await log.installed(snapshot.last);
        await log.truncate(100);
      }
      await log.close();
    }
    expect([...seen].sort()).toEqual(['false false', 'true false', 'true true']);
  });
});

describe('configurations', () => {
  const members = (index: number) => ({ index, configuration: { voters: [1, index] } });
  const setMembers = (log: WalLogStore, index: number): Promise<void> =>
    log.append({ configuration: members(index), entries: [], mustSync: true });

  test('several -> the one at the applied index, after a truncation too', async () => {
    const fs = new FakeFiles();
    const log = await oldLog(fs, 40);
    for (const index of [5, 15, 25, 35]) await setMembers(log, index);
    const votersAt = async (applied: number) => {
      const again = await openLog(new FakeFiles(fs.image()), { ...options, applied });
      await again.close();
      return again.initialState().voters;
    };
    expect(await votersAt(0)).toEqual([1, 2, 3]);
    for (const [applied, voter] of [
      [5, 5],
      [24, 15],
      [25, 25],
      [39, 35],
    ] as const) {
      expect(await votersAt(applied)).toEqual([1, voter]);
    }
    log.applied(30);
    await log.truncate(30);
    expect(log.firstIndex()).toBeGreaterThan(25);
    await append(log, entries(1, 41, 60, 300), state(40));
    for (const [applied, voter] of [
      [30, 25],
      [34, 25],
      [35, 35],
    ] as const) {
      expect(await votersAt(applied)).toEqual([1, voter]);
    }
    const { history } = await readWal({ fs: new FakeFiles(fs.image()), dir });
    expect(history.configurations.map(({ index }) => index)).toEqual([25, 35]);
    await log.close();
  });

  test('one beyond the log -> assertion', async () => {
    const log = await oldLog(new FakeFiles());
    await expect(setMembers(log, 21)).rejects.toMatchObject({ code: 'ASSERTION' });
    await log.close();
  });

  test('of entries that are applied again -> written once', async () => {
    const fs = new FakeFiles();
    const log = await oldLog(fs);
    await setMembers(log, 5);
    await setMembers(log, 9);
    await log.close();
    const again = await openLog(fs, { ...options, applied: 4 });
    await setMembers(again, 5);
    await setMembers(again, 9);
    await setMembers(again, 12);
    await again.close();
    const { history } = await readWal({ fs: new FakeFiles(fs.image()), dir });
    expect(history.configurations.map(({ index }) => index)).toEqual([0, 5, 9, 12]);
  });

  test('what is kept beside the members -> as it was, in marks of installs too', async () => {
    const fs = new FakeFiles();
    const context = Uint8Array.of(0, 1, 255);
    const log = await openWal({ fs, dir, voters: [1], context });
    expect(log.initialState().context).toEqual(context);
    await append(log, entries(1, 1, 4), state(3));
    const second = Uint8Array.of(7);
    const configuration = { voters: [1], learners: [4], context: second };
    await log.append({ configuration: { index: 2, configuration }, entries: [], mustSync: true });
    await log.close();
    const contextAt = async (applied: number) => {
      const opened = await openWal({ fs: new FakeFiles(fs.image()), dir, voters: [], applied });
      await opened.close();
      return opened.initialState().context;
    };
    expect([await contextAt(1), await contextAt(2)]).toEqual([context, second]);
    const last = { term: 1, index: 9 };
    const again = await openWal({ fs, dir, voters: [], applied: 3 });
    await again.append({ snapshot: { last, configuration }, entries: [], mustSync: true });
    await again.close();
    const installing = await openWal({ fs, dir, voters: [], applied: 3 });
    expect(installing.installing).toEqual({ last, configuration });
    await installing.close();
  });
});

describe('damaged marks', () => {
  test('every byte of a group of marks, last of the log or not -> WAL_CORRUPT', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs);
    await append(log, entries(1, 1, 4), state(3));
    const groups: { start: number; end: number }[] = [];
    const note = async () => groups.push(await tailOf(fs.image()));
    await log.append({
      configuration: { index: 2, configuration },
      entries: [],
      mustSync: true,
    });
    await note();
    await log.append({ snapshot, entries: [], mustSync: true });
    await note();
    await log.installed(snapshot.last);
    await note();
    await log.close();
    const image = fs.image();
    const path = segmentPath(1);
    for (const { start, end } of groups) {
      for (let at = start; at < end; at += 1) {
        const damaged = changed(image, path, (file) => {
          file[at]! ^= 1 << (at % 8);
          return file;
        });
        await expectRefused(damaged, { code: 'WAL_CORRUPT', file: path }, `byte ${at}`);
      }
    }
  });
});
