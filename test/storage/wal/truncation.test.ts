// A log lets go of its first segments: what is left is enough, and no crash on the way there is lost.
import { beforeAll, describe, expect, test } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import { readWal, type WalLogStore } from '../../../src/storage/wal/index.js';
import { FakeFiles, Gate, type Image, settled } from './fake-files.js';
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
} from './log.js';

const options = { segmentBytes: 2_048, preallocateBytes: 512 };

/** Entries 1 to `last`, three to a segment, all committed and applied. */
async function fill(log: WalLogStore, last: number, term = 1): Promise<void> {
  for (let index = log.lastIndex() + 1; index <= last; index += 1) {
    const hardState = { term, vote: 1, commit: index };
    await append(log, entries(term, index, index + 1, 300), hardState);
  }
  log.applied(last);
  await settled();
}

/** Numbers of the segments in a folder. */
function segmentsOf(image: Image): number[] {
  return [...image.keys()]
    .map((path) => /([0-9a-f]{16})\.wal$/.exec(path)?.[1])
    .flatMap((digits) => (digits === undefined ? [] : [Number.parseInt(digits, 16)]))
    .sort((a, b) => a - b);
}

describe('truncation', () => {
  test('up to an index -> whole segments below it go, and the rest reads as before', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    await fill(log, 30);
    const count = segmentsOf(fs.image()).length;
    await log.truncate(20);
    const first = log.firstIndex();
    expect(first).toBeGreaterThan(15);
    expect(first).toBeLessThanOrEqual(21);
    const left = segmentsOf(fs.image());
    expect(left.length).toBeLessThan(count / 2);
    expect(await allEntries(log)).toEqual(entries(1, first, 31, 300));
    expect([log.term(first - 2), log.term(first - 1), log.term(first)]).toEqual([undefined, 1, 1]);
    expect(log.entries({ lo: first - 1, hi: 31 }, 1e9)).toBeUndefined();
    await log.fetch({ lo: 1, hi: 31 });
    await log.close();
    expect(segmentsOf(fs.image())).toEqual(left);
    const again = await openLog(fs, { ...options, applied: 30 });
    expect([again.firstIndex(), again.lastIndex(), again.term(first - 1)]).toEqual([first, 30, 1]);
    expect(await allEntries(again)).toEqual(entries(1, first, 31, 300));
    expect(again.initialState()).toMatchObject({
      hardState: { term: 1, vote: 1, commit: 30 },
      voters: [1, 2, 3],
    });
    await again.close();
  });

  test('again and again -> disk and memory stay as small, indexes go on', async () => {
    const fs = new FakeFiles();
    let log = await openLog(fs, { ...options, cacheBytes: 0 });
    for (let round = 1; round <= 60; round += 1) {
      await fill(log, round * 10);
      await log.truncate(round * 10 - 5);
      expect(log.firstIndex()).toBeGreaterThan(round * 10 - 12);
      if (round % 7 === 0) {
        await log.close();
        log = await openLog(fs, { ...options, cacheBytes: 0, applied: round * 10 });
      }
    }
    expect(segmentsOf(fs.image()).length).toBeLessThan(6);
    expect(await allEntries(log)).toEqual(entries(1, log.firstIndex(), 601, 300));
    await log.close();
  });

  test('up to an index inside the first segment, or below the first -> nothing at all', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    await fill(log, 30);
    await log.truncate(20);
    fs.steps.length = 0;
    for (const index of [0, 1, log.firstIndex(), 20]) await log.truncate(index);
    expect(fs.steps).toEqual([]);
    await log.close();
  });

  test('beyond what is committed -> only what is committed', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    await fill(log, 9);
    for (let at = 10; at < 30; at += 1) await append(log, entries(1, at, at + 1, 300));
    await log.truncate(29);
    expect(log.firstIndex()).toBeLessThanOrEqual(10);
    expect(log.firstIndex()).toBeGreaterThan(4);
    await log.close();
  });

  test('a commit index that waits for company -> is written with it', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    for (let at = 1; at < 30; at += 1) await append(log, entries(1, at, at + 1, 300));
    const hardState = { term: 0, vote: 0, commit: 25 };
    await log.append({ entries: [], hardState, mustSync: false });
    log.applied(25);
    await log.truncate(25);
    const { history } = await readWal({ fs: new FakeFiles(fs.image()), dir });
    expect(history.hardState).toEqual(hardState);
    expect(history.terms.base).toBe(log.firstIndex() - 1);
    await log.close();
  });

  test('entries before a segment that later ones replaced -> the log does not start there', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    const state = { term: 1, vote: 1, commit: 4 };
    await append(log, entries(1, 1, 5, 300), state);
    for (let at = 5; at < 15; at += 1) await append(log, entries(1, at, at + 1, 300));
    // Behind the head of a segment that goes on from entry 14.
    await append(log, entries(2, 6, 8, 300), { term: 2, vote: 0, commit: 4 });
    const replacing = segmentsOf(fs.image()).at(-1)!;
    const expected = [...entries(1, 1, 6, 300), ...entries(2, 6, 31, 300)];
    for (let at = 8; at < 31; at += 1) {
      await append(log, entries(2, at, at + 1, 300), { term: 2, vote: 0, commit: at });
    }
    log.applied(30);
    for (const index of [6, 7, 10, 20]) {
      await log.truncate(index);
      expect(segmentsOf(fs.image())[0]).not.toBe(replacing);
      const first = log.firstIndex();
      expect(await allEntries(log)).toEqual(expected.slice(first - 1));
      const again = await openLog(new FakeFiles(fs.image()), options);
      expect(again.firstIndex()).toBe(first);
      expect(await allEntries(again)).toEqual(expected.slice(first - 1));
      await again.close();
    }
    expect(log.firstIndex()).toBeGreaterThan(14);
    await log.close();
  });

  test('a fetch on its way meanwhile -> resolves, whatever it still found', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { ...options, cacheBytes: 0 });
    await fill(log, 30);
    const gate = new Gate((step) => step.kind === 'sync');
    fs.before = gate.before;
    const truncated = log.truncate(25);
    await settled();
    const fetched = log.fetch({ lo: log.firstIndex(), hi: 31 });
    gate.open();
    await Promise.all([truncated, fetched, log.truncate(28), log.fetch({ lo: 1, hi: 31 })]);
    expect(await allEntries(log)).toEqual(entries(1, log.firstIndex(), 31, 300));
    await log.close();
  });

  test('files that cannot be removed -> its error; the log goes on, the next truncation removes them', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    await fill(log, 30);
    const before = segmentsOf(fs.image());
    let removed = 0;
    fs.before = (step) => {
      if (step.kind !== 'remove' || !step.path.endsWith('.wal')) return;
      removed += 1;
      if (removed === 3) throw kontikiError('STORAGE_IO', 'no');
    };
    await expect(log.truncate(25)).rejects.toMatchObject({ code: 'STORAGE_IO', message: 'no' });
    // The one just before the log's start went first, then the oldest.
    expect(segmentsOf(fs.image())).toEqual(
      before.filter((segment) => segment !== 1 && segment !== 8),
    );
    await fill(log, 31);
    await log.truncate(25);
    const first = log.firstIndex();
    await log.close();
    const { segments, history } = await readWal({ fs, dir });
    expect(segmentsOf(fs.image())).toEqual(segments);
    expect(history.terms.base).toBe(first - 1);
  });

  test('whose record cannot be written, asked for twice -> no file is removed', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    await fill(log, 30);
    const before = segmentsOf(fs.image());
    fs.before = (step) => {
      if (step.kind === 'write') throw kontikiError('NO_SPACE', 'full');
    };
    const twice = await Promise.allSettled([log.truncate(20), log.truncate(20)]);
    expect(twice.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(log.truncate(20)).rejects.toMatchObject({ code: 'NO_SPACE' });
    await log.close();
    expect(segmentsOf(fs.image())).toEqual(before);
  });

  describe('cut short, where entries were replaced from far back', () => {
    const small = { segmentBytes: 2_048, preallocateBytes: 512 };

    /** Segments in the middle begin behind entries that are replaced: no log can start with them. */
    async function replaced() {
      const fs = new FakeFiles();
      const log = await openLog(fs, small);
      const put = (term: number, lo: number, commit: number) =>
        append(log, entries(term, lo, lo + 1, 600), { term, vote: 1, commit });
      for (let lo = 1; lo < 9; lo += 1) await put(1, lo, 0);
      for (let lo = 2; lo < 12; lo += 1) await put(2, lo, 0);
      await put(2, 12, 11);
      log.applied(11);
      return { fs, log };
    }

    /** Lets the process die at its removal number `cut`. */
    function dieAt(fs: FakeFiles, cut: number) {
      let removed = 0;
      fs.before = ({ kind }) => {
        if (kind === 'remove') removed += 1;
        if (removed > cut) throw new Error('the process dies');
      };
      return () => removed > cut;
    }

    test('by a crash at each removal, again at each of the next open -> it opens, with all that was acknowledged', async () => {
      let opened = 0;
      for (let cut = 0, isCut = true; isCut; cut += 1) {
        const { fs, log } = await replaced();
        const hasDied = dieAt(fs, cut);
        await log.truncate(11).catch(() => undefined);
        isCut = hasDied();
        for (let again = 0; again < 8; again += 1) {
          const next = new FakeFiles(fs.image());
          const hasDiedAgain = dieAt(next, again);
          await openLog(next, small).catch((error: Error) => {
            if (!hasDiedAgain()) throw error;
          });
          const last = await openLog(new FakeFiles(next.image()), small);
          expect(last.lastIndex(), `${cut}, ${again}`).toBe(12);
          expect(last.initialState().hardState.commit).toBe(11);
          opened += 1;
        }
      }
      expect(opened).toBeGreaterThan(40);
    });
  });

  test('closed meanwhile -> done before the close; afterwards CLOSED', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    await fill(log, 30);
    const truncated = log.truncate(25);
    await log.close();
    await truncated;
    const { leftOver } = await readWal({ fs, dir });
    expect(leftOver).toEqual([]);
    await expect(log.truncate(30)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('bytes above an index -> what the files take from there on', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    await fill(log, 30);
    const above = Array.from({ length: 32 }, (_, index) => log.bytesAbove(index));
    expect(above[30]).toBe(0);
    expect(above[29]).toBeGreaterThan(300);
    expect(above[29]).toBeLessThan(600);
    for (let at = 1; at < 31; at += 1) expect(above[at]! < above[at - 1]!).toBe(true);
    const bytes = segmentsOf(fs.image()).length * options.segmentBytes;
    expect(above[0]! > bytes / 2 && above[0]! <= bytes).toBe(true);
    await log.truncate(20);
    // The record that says so is in the log too.
    const { length } = segmentsOf(fs.image());
    expect(log.bytesAbove(1)).toBe(log.bytesAbove(log.firstIndex() - 1));
    expect(log.bytesAbove(1)).toBeLessThanOrEqual(length * options.segmentBytes);
    await log.close();
  });
});

describe('a crash before or after each step of a truncation', () => {
  test('-> opens with all that was acknowledged, and the work is finished', async () => {
    const start = new FakeFiles();
    const filling = await openLog(start, options);
    await fill(filling, 30);
    await filling.close();
    const states = new Set<string>();
    const steps = await crashAtEachStep(start.image(), options, async (log) => {
      await log.truncate(20);
      // The same again, and entries behind it.
      await fill(log, 33);
      await log.truncate(28);
    });
    expect(steps.length).toBeGreaterThan(15);
    for (const { image, what } of steps) {
      const fs = new FakeFiles(image);
      const log = await openLog(fs, { ...options, applied: 28 });
      const first = log.firstIndex();
      expect(log.lastIndex(), what).toBeGreaterThanOrEqual(30);
      expect(first, what).toBeLessThanOrEqual(29);
      expect(await allEntries(log), what).toEqual(entries(1, first, log.lastIndex() + 1, 300));
      expect(log.initialState().hardState.commit, what).toBe(log.lastIndex());
      const left = segmentsOf(fs.image());
      states.add(`${first} ${segmentsOf(image).length}`);
      await log.close();
      const { segments, leftOver } = await readWal({ fs, dir });
      expect(leftOver, what).toEqual([]);
      expect(left, what).toEqual(segments);
    }
    // It was met with files half removed.
    expect(states.size).toBeGreaterThan(6);
  });

  test('segments left over, any of them -> opens without them', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    await fill(log, 30);
    const full = fs.image();
    await log.truncate(17);
    await log.close();
    const kept = segmentsOf(fs.image());
    const gone = segmentsOf(full).filter((segment) => !kept.includes(segment));
    expect(gone.length).toBeGreaterThan(3);
    for (let subset = 0; subset < 2 ** gone.length; subset += 1) {
      const image = new Map(fs.image());
      gone.forEach((segment, at) => {
        const path = segmentPath(segment);
        if ((subset >> at) % 2 === 1) image.set(path, full.get(path)!);
      });
      const files = new FakeFiles(image);
      const again = await openLog(files, options);
      expect(again.firstIndex()).toBe(log.firstIndex());
      expect(await allEntries(again)).toEqual(entries(1, log.firstIndex(), 31, 300));
      await again.close();
      expect(segmentsOf(files.image())).toEqual(kept);
    }
  });
});

describe('after a truncation', () => {
  let image: Image;
  let kept: number[];

  beforeAll(async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    await fill(log, 40);
    await log.truncate(20);
    await fill(log, 42);
    await log.close();
    image = fs.image();
    kept = segmentsOf(image);
  });

  test('a segment but the last is missing -> WAL_CORRUPT by its name', async () => {
    expect(kept.length).toBeGreaterThan(3);
    for (const segment of kept.slice(0, -1)) {
      const path = segmentPath(segment);
      const damaged = changed(image, path, () => undefined);
      await expectRefused(damaged, { code: 'WAL_CORRUPT', file: path, offset: 0 });
    }
  });

  test('the last one is missing -> the log ends earlier, for the driver to compare', async () => {
    const fs = new FakeFiles(image);
    const longer = await openLog(fs, options);
    await fill(longer, 60);
    await longer.close();
    const last = segmentPath(segmentsOf(fs.image()).at(-1)!);
    const log = await openLog(new FakeFiles(changed(fs.image(), last, () => undefined)), options);
    expect(log.lastIndex()).toBeLessThan(60);
    expect(log.lastIndex()).toBeGreaterThan(42);
    await log.close();
  });

  test('all segments are missing that say where the log starts -> WAL_CORRUPT', async () => {
    const damaged = new Map([...image].filter(([path]) => path === segmentPath(kept[0]!)));
    await expectRefused(damaged, { code: 'WAL_CORRUPT', file: segmentPath(1), offset: 0 });
  });

  test('the first segment’s head, every byte -> WAL_CORRUPT', async () => {
    const path = segmentPath(kept[0]!);
    const { length } = image.get(path)!;
    for (let at = 0; at < Math.min(length, 760); at += 1) {
      const damaged = changed(image, path, (file) => {
        file[at]! ^= 1 << (at % 8);
        return file;
      });
      await expectRefused(damaged, { code: 'WAL_CORRUPT', file: path }, `byte ${at}`);
    }
  });
});
