// What is appended is what is read, now and after restarts, from memory and from disk.
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../../src/raft/types.js';
import { FakeFiles, Gate, settled } from './fake-files.js';
import {
  allEntries,
  append,
  bytes,
  contentsOf,
  dir,
  entries,
  entry,
  openLog,
  segmentPath,
  tailOf,
  voters,
} from './log.js';

const zeroState = { term: 0, vote: 0, commit: 0 };

describe('a new log', () => {
  test('opened -> holds its configuration, which a later open reads back', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs);
    expect(log.initialState()).toEqual({ hardState: zeroState, voters });
    expect([log.firstIndex(), log.lastIndex(), log.term(0), log.term(1)]).toEqual([
      1,
      0,
      0,
      undefined,
    ]);
    expect(log.recovery).toEqual({ committedIndex: 0, lastIndex: 0, cut: undefined });
    await log.close();
    expect((await contentsOf(fs.image())).voters).toEqual(voters);
    const again = await openLog(fs, { voters: [7] });
    expect(again.initialState().voters).toEqual(voters);
    await again.close();
    expect(fs.openFiles).toBe(0);
  });

  test('its names and its folder -> durable before it opens', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs);
    const synced = fs.steps.filter((step) => step.kind === 'sync-directory');
    expect(synced.map((step) => step.path)).toEqual(['.', dir]);
    await log.close();
  });

  test('not there although there was one -> WAL_CORRUPT, nothing is created', async () => {
    const fs = new FakeFiles();
    const opening = openLog(fs, { create: false });
    const lost = { code: 'WAL_CORRUPT', file: segmentPath(1), offset: 0 };
    await expect(opening).rejects.toMatchObject(lost);
    expect(fs.steps).toEqual([]);
    await (await openLog(fs)).close();
    await (await openLog(fs, { create: false })).close();
  });
});

describe('restarts', () => {
  test('entries, hard states, empty data, replaced suffixes -> the newest of each', async () => {
    const fs = new FakeFiles();
    let log = await openLog(fs);
    await append(log, entries(1, 1, 6), { term: 1, vote: 2, commit: 0 });
    await append(log, [entry(1, 6, new Uint8Array())], { term: 1, vote: 2, commit: 3 });
    await log.close();
    log = await openLog(fs);
    const replaced = [entry(3, 5, bytes(2_000, 9)), ...entries(3, 6, 9)];
    await append(log, replaced, { term: 3, vote: 0, commit: 4 });
    expect([log.lastIndex(), log.term(4), log.term(5), log.term(9)]).toEqual([8, 1, 3, undefined]);
    const expected = [...entries(1, 1, 5), ...replaced];
    expect(await allEntries(log)).toEqual(expected);
    await log.close();
    log = await openLog(fs);
    expect(await allEntries(log)).toEqual(expected);
    expect(log.initialState().hardState).toEqual({ term: 3, vote: 0, commit: 4 });
    expect(log.recovery).toEqual({ committedIndex: 4, lastIndex: 8, cut: undefined });
    await log.close();
  });

  test('many, with tiny segments -> rolls, no entry is lost, groups longer than a segment', async () => {
    const fs = new FakeFiles();
    const expected = [];
    for (let round = 0; round < 12; round += 1) {
      const log = await openLog(fs, { segmentBytes: 2_048, preallocateBytes: 1_024 });
      expect(await allEntries(log)).toEqual(expected);
      for (let at = 0; at < 3; at += 1) {
        const length = at === 2 && round % 4 === 0 ? 5_000 : 300;
        const next = entry(round + 1, expected.length + 1, bytes(length, expected.length));
        expected.push(next);
        await append(log, [next], { term: round + 1, vote: 1, commit: expected.length });
      }
      await log.close();
    }
    expect(await allEntries(await openLog(fs))).toEqual(expected);
    expect((await fs.list(dir)).length).toBeGreaterThan(8);
  });

  test('at the end of a segment -> the next one is prepared anew, and used', async () => {
    const fs = new FakeFiles();
    const options = { segmentBytes: 4_096, preallocateBytes: 2_048 };
    const first = await openLog(fs, options);
    for (let at = 1; at < 9; at += 1) await append(first, entries(1, at, at + 1, 300));
    const { end } = await tailOf(fs.image());
    await append(first, [entry(1, 9, bytes(options.segmentBytes - end - 100))]);
    // Killed: the file of the segment to come stays. There is no room for zeros in this one.
    await settled();
    const left = fs.image();
    expect([...left.keys()]).toContain(`${segmentPath(2)}.tmp`);
    const files = new FakeFiles(left);
    // Slow enough to find what was begun before it.
    const list = files.list.bind(files);
    files.list = async (path) => {
      await settled();
      return list(path);
    };
    const log = await openLog(files, options);
    await settled();
    expect([...files.image().keys()]).toContain(`${segmentPath(2)}.tmp`);
    for (let at = 10; at < 30; at += 1) await append(log, entries(1, at, at + 1, 300));
    await log.close();
    expect([...files.image().keys()].every((name) => name.endsWith('.wal'))).toBe(true);
    expect((await openLog(files)).lastIndex()).toBe(29);
  });

  test('entries of large terms and indexes -> exact', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { voters: [Number.MAX_SAFE_INTEGER] });
    const hardState = { term: 2 ** 52 + 1, vote: Number.MAX_SAFE_INTEGER, commit: 1 };
    await append(log, [entry(2 ** 52 + 1, 1)], hardState);
    await log.close();
    const contents = await contentsOf(fs.image());
    expect(contents.hardState).toEqual(hardState);
    expect(contents.voters).toEqual([Number.MAX_SAFE_INTEGER]);
    expect(contents.entries[0]!.term).toBe(2 ** 52 + 1);
  });
});

describe('reading', () => {
  test('applied, durable, more than the cache holds -> pending until fetched', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { cacheBytes: 400 });
    const all = entries(1, 1, 41, 100);
    for (let at = 0; at < 40; at += 4) await append(log, all.slice(at, at + 4));
    expect(log.entries({ lo: 1, hi: 41 }, 1e9)).toEqual(all);
    log.applied(30);
    expect(log.entries({ lo: 31, hi: 41 }, 1e9)).toEqual(all.slice(30));
    expect(log.entries({ lo: 30, hi: 41 }, 1e9)).toBe('pending');
    expect(log.entries({ lo: 1, hi: 41 }, 1e9)).toBe('pending');
    await log.fetch({ lo: 10, hi: 20 });
    expect(log.entries({ lo: 10, hi: 41 }, 1e9)).toEqual(all.slice(9, 19));
    expect(log.entries({ lo: 9, hi: 41 }, 1e9)).toBe('pending');
    await log.fetch({ lo: 1, hi: 41 });
    expect(log.entries({ lo: 1, hi: 41 }, 1e9)).toEqual(all);
    expect(log.entries({ lo: 3, hi: 41 }, 250)).toEqual(all.slice(2, 4));
    expect(log.entries({ lo: 3, hi: 41 }, 1)).toEqual(all.slice(2, 3));
    expect(log.entries({ lo: 0, hi: 4 }, 1e9)).toBeUndefined();
    expect([log.term(1), log.term(40), log.term(41)]).toEqual([1, 1, undefined]);
    await log.close();
  });

  test('applied beyond what is durable -> what is in flight stays in memory', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { cacheBytes: 0 });
    const gate = new Gate((step) => step.kind === 'sync');
    fs.before = gate.before;
    const done = append(log, entries(1, 1, 4));
    log.applied(3);
    expect(log.entries({ lo: 1, hi: 4 }, 1e9)).toEqual(entries(1, 1, 4));
    await settled();
    gate.open();
    await done;
    expect(log.entries({ lo: 3, hi: 4 }, 1e9)).toBe('pending');
    expect(await allEntries(log)).toEqual(entries(1, 1, 4));
    await log.close();
  });

  test('a reopened log -> entries above the applied index are in memory, others are fetched', async () => {
    const fs = new FakeFiles();
    const all = entries(1, 1, 31, 100);
    const first = await openLog(fs, { segmentBytes: 1_500 });
    for (const one of all) await append(first, [one]);
    await first.close();
    const log = await openLog(fs, { applied: 12, cacheBytes: 0 });
    expect(log.entries({ lo: 13, hi: 31 }, 1e9)).toEqual(all.slice(12));
    expect(log.entries({ lo: 12, hi: 31 }, 1e9)).toBe('pending');
    expect(await allEntries(log)).toEqual(all);
    await log.close();
  });

  test('fetched data -> keeps no more than itself alive, and is nobody else’s', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { cacheBytes: 0 });
    await append(log, entries(1, 1, 9, 100));
    log.applied(8);
    await log.fetch({ lo: 1, hi: 9 });
    const found = log.entries({ lo: 2, hi: 3 }, 1e9) as readonly Entry[];
    expect(found[0]!.data.buffer.byteLength).toBe(100);
    await log.close();
  });

  test('an entry that changed on disk since -> WAL_CORRUPT with its place', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { cacheBytes: 0 });
    await append(log, entries(1, 1, 4, 100));
    log.applied(3);
    const file = await fs.open(segmentPath(1), 'read-write');
    const size = await file.size();
    for (let at = 600; at < size; at += 100) {
      const old = await file.read(at, 1);
      await file.write(at, [Uint8Array.of((old[0] as number) ^ 4)]);
    }
    const corrupt = { code: 'WAL_CORRUPT', file: segmentPath(1) };
    await expect(log.fetch({ lo: 1, hi: 4 })).rejects.toMatchObject(corrupt);
    expect(log.entries({ lo: 1, hi: 4 }, 1e9)).toBe('pending');
    await log.close();
  });
});

describe('a replaced suffix', () => {
  const old = entries(1, 1, 11, 60);
  const fresh = entries(2, 5, 8, 80);
  const expected = [...old.slice(0, 4), ...fresh];

  test.each([
    ['while the old one is queued', 'queued'],
    ['while the old one is in flight', 'in flight'],
    ['while the old one waits for a new segment', 'rolling'],
    ['when the old one is on disk', 'on disk'],
  ])('%s -> the new one, here and after a restart', async (_, when) => {
    const fs = new FakeFiles();
    const segmentBytes = when === 'rolling' ? 1_200 : 1 << 20;
    const log = await openLog(fs, { segmentBytes, preallocateBytes: 512, cacheBytes: 0 });
    const gate = new Gate((step) => step.kind === 'sync');
    const state = { term: 1, vote: 1, commit: 0 };
    // Fills the first segment, so that the next group needs a second one.
    if (when === 'rolling') await append(log, [], state);
    const before = when === 'on disk' ? append(log, old) : undefined;
    await before;
    fs.before = gate.before;
    const blocker = when === 'queued' ? append(log, [], state) : undefined;
    if (when === 'queued') await settled();
    const first = before ?? append(log, old);
    await settled();
    if (when === 'rolling')
      expect(fs.steps.at(-1)).toMatchObject({ path: `${segmentPath(2)}.tmp` });
    const second = append(log, fresh, { term: 2, vote: 0, commit: 4 });
    log.applied(7);
    for (let turn = 0; turn < 6; turn += 1) {
      await settled();
      expect(log.lastIndex()).toBe(7);
      // Whatever is durable by now, all entries are in memory or can be loaded.
      expect(await allEntries(log)).toEqual(expected);
      gate.release();
    }
    gate.open();
    await Promise.all([blocker, first, second]);
    expect(await allEntries(log)).toEqual(expected);
    await log.close();
    expect((await contentsOf(fs.image())).entries).toEqual(expected);
  });

  test('replaced again and again in one group -> the last one', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { cacheBytes: 0 });
    await append(log, entries(1, 1, 5));
    const writes = [
      append(log, entries(1, 5, 9)),
      append(log, entries(2, 3, 6)),
      append(log, entries(3, 2, 5)),
      append(log, entries(3, 5, 7)),
    ];
    await Promise.all(writes);
    log.applied(6);
    const last = [...entries(1, 1, 2), ...entries(3, 2, 7)];
    expect(log.entries({ lo: 1, hi: 2 }, 1e9)).toBe('pending');
    expect(await allEntries(log)).toEqual(last);
    await log.close();
    expect((await contentsOf(fs.image())).entries).toEqual(last);
  });

  test('of an applied entry -> assertion, and nothing of it is written', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs);
    await append(log, old);
    log.applied(5);
    await expect(append(log, fresh)).rejects.toMatchObject({ code: 'ASSERTION' });
    await log.close();
    expect((await contentsOf(fs.image())).entries).toEqual(old);
  });

  test('reopened below what it replaced and applied since -> the new one', async () => {
    const fs = new FakeFiles();
    const first = await openLog(fs);
    await append(first, old);
    await append(first, fresh, { term: 2, vote: 0, commit: 6 });
    await first.close();
    for (const applied of [0, 3, 6]) {
      const log = await openLog(fs, { applied, cacheBytes: 0 });
      expect(log.entries({ lo: applied + 1, hi: 8 }, 1e9)).toEqual(expected.slice(applied));
      expect(await allEntries(log)).toEqual(expected);
      await log.close();
    }
  });
});
