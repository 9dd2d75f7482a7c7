// A disk that is full, or a process without descriptors: refused in time, cut back, and nothing lost.
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import { readWal, type WalLogStore } from '../../../src/storage/wal/index.js';
import { FakeFiles, Gate, type Step, settled } from './fake-files.js';
import {
  allEntries,
  append,
  contentsOf,
  dir,
  entries,
  looking,
  openLog,
  openPatient,
  segmentPath,
  tailOf,
} from './log.js';

const options = { segmentBytes: 4_096, preallocateBytes: 2_048 };

/** Appends single entries of 300 bytes up to `last`. */
async function appendTo(log: WalLogStore, last: number): Promise<void> {
  for (let at = log.lastIndex() + 1; at <= last; at += 1) {
    await append(log, entries(1, at, at + 1, 300));
    await settled();
  }
}

/** Makes steps fail for want of space. */
function fullAt(isFull: (step: Step) => boolean) {
  return (step: Step): void => {
    if (isFull(step)) throw kontikiError('NO_SPACE', `full: ${step.kind} ${step.path}`);
  };
}

const isZeros = ({ kind, length = 0 }: Step) => kind === 'write' && length >= 512;

describe('no space', () => {
  test('before it is needed -> hasSpace is false, appends go on, and it comes back with the space', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    await appendTo(log, 2);
    expect(log.hasSpace).toBe(true);
    fs.before = fullAt(isZeros);
    await appendTo(log, 4);
    expect(log.hasSpace).toBe(false);
    // The driver refuses proposals now; nothing else is appended, and so nobody would notice.
    expect(await log.reserve()).toBe(false);
    fs.before = undefined;
    expect(await log.reserve()).toBe(true);
    await appendTo(log, 30);
    await log.close();
    expect(await allEntries(await openLog(fs, options))).toEqual(entries(1, 1, 31, 300));
  });

  test('for the segment to come -> told before the segment is needed', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    fs.before = fullAt(({ path, kind }) => path.endsWith('.tmp') && kind !== 'remove');
    for (let at = 1; log.hasSpace; at += 1) await appendTo(log, at);
    const last = log.lastIndex();
    expect(await fs.list(dir)).toEqual([segmentPath(1).slice(dir.length + 1)]);
    // There is room for what was accepted meanwhile.
    await appendTo(log, last + 2);
    fs.before = undefined;
    expect(await log.reserve()).toBe(true);
    await appendTo(log, last + 20);
    await log.close();
    expect(await allEntries(await openLog(fs, options))).toEqual(entries(1, 1, last + 21, 300));
  });

  describe.each(['create', 'write', 'sync', 'rename', 'sync-directory'] as const)(
    'for a segment when it is needed, at its %s',
    (kind) => {
      /** Fills a log up to a group that needs a segment. */
      async function fill(fs: FakeFiles) {
        const log = await openPatient(fs, { ...options, preallocateBytes: 0 });
        const isOfNext = ({ path }: Step) => kind === 'sync-directory' || path.endsWith('.tmp');
        let refused = 0;
        fs.before = fullAt((step) => {
          if (step.kind !== kind || !isOfNext(step)) return false;
          refused += 1;
          return true;
        });
        let acknowledged = 0;
        const filling = async () => {
          for (; acknowledged < 40; acknowledged += 1) await appendTo(log, acknowledged + 1);
        };
        const filled = filling();
        filled.catch(() => undefined);
        while (refused === 0) await settled();
        await settled();
        return { log, filled, last: acknowledged };
      }

      test('-> it waits, reads go on, and with space it comes', async () => {
        const fs = new FakeFiles();
        const { log, filled, last } = await fill(fs);
        expect(last).toBeGreaterThan(5);
        expect(log.hasSpace).toBe(false);
        // Not one group less, not one more.
        for (let nth = 0; nth < 5; nth += 1) {
          expect(await log.reserve()).toBe(false);
          await settled();
        }
        expect((await contentsOf(fs.image())).entries).toEqual(entries(1, 1, last + 1, 300));
        expect((await allEntries(log)).length).toBe(last + 1);
        fs.before = undefined;
        await looking(log, filled);
        expect(log.hasSpace).toBe(true);
        await log.close();
        expect(fs.openFiles).toBe(0);
        const again = await openLog(fs, options);
        expect(again.recovery.cut).toBeUndefined();
        expect(await allEntries(again)).toEqual(entries(1, 1, 41, 300));
      });

      test('closed meanwhile -> NO_SPACE, and what was acknowledged is there', async () => {
        const fs = new FakeFiles();
        const { log, filled, last } = await fill(fs);
        await log.close();
        await expect(filled).rejects.toMatchObject({ code: 'NO_SPACE' });
        expect(fs.openFiles).toBe(0);
        fs.before = undefined;
        const again = await openLog(fs, options);
        expect(again.recovery.cut).toBeUndefined();
        expect(await allEntries(again)).toEqual(entries(1, 1, last + 1, 300));
        await appendTo(again, 40);
        await again.close();
        expect(await allEntries(await openLog(fs, options))).toEqual(entries(1, 1, 41, 300));
      });
    },
  );

  test('for a group -> what it took is given back, and it comes with the space', async () => {
    const fs = new FakeFiles();
    const log = await openPatient(fs, { ...options, preallocateBytes: 0 });
    await append(log, entries(1, 1, 3));
    const { length } = fs.image().get(segmentPath(1))!;
    fs.failedWritePart = 0.7;
    fs.before = fullAt(({ kind }) => kind === 'write');
    const order: string[] = [];
    const first = append(log, entries(1, 3, 6, 300)).then(() => order.push('first'));
    await settled();
    const second = append(log, entries(1, 6, 7, 300)).then(() => order.push('second'));
    for (let nth = 0; nth < 3; nth += 1) {
      await log.reserve();
      await settled();
      expect(fs.image().get(segmentPath(1))!.length).toBe(length);
    }
    expect(order).toEqual([]);
    fs.before = undefined;
    await looking(log, Promise.all([first, second]));
    expect(order).toEqual(['first', 'second']);
    await log.close();
    expect(await allEntries(await openLog(fs, options))).toEqual([
      ...entries(1, 1, 3),
      ...entries(1, 3, 7, 300),
    ]);
  });

  test('for a group, part of which cannot be given back -> written over', async () => {
    const fs = new FakeFiles();
    const log = await openPatient(fs, { ...options, preallocateBytes: 1_024 });
    await appendTo(log, 2);
    fs.failedWritePart = 0.7;
    fs.before = fullAt(({ kind }) => kind === 'write' || kind === 'truncate');
    const waiting = append(log, entries(1, 3, 4, 300));
    await settled();
    fs.before = undefined;
    await looking(log, waiting);
    await appendTo(log, 20);
    await log.close();
    expect(await allEntries(await openLog(fs, options))).toEqual(entries(1, 1, 21, 300));
  });
});

describe('no space at a sync', () => {
  /** Fills a log up to a group that cannot be synced. */
  async function fill(before: number) {
    const fs = new FakeFiles();
    const log = await openPatient(fs, options);
    await appendTo(log, before);
    const { start } = await tailOf(fs.image());
    fs.before = fullAt(({ kind }) => kind === 'sync');
    const waiting = append(log, entries(1, before + 1, before + 2, 300));
    waiting.catch(() => undefined);
    while (log.hasSpace) await settled();
    return { fs, log, waiting, start };
  }

  test.each([0, 3])(
    'behind %d groups -> on another handle all of it is written again',
    async (before) => {
      const { fs, log, waiting } = await fill(before);
      await log.reserve();
      await settled();
      expect(log.hasSpace).toBe(false);
      fs.before = undefined;
      const steps = fs.steps.length;
      await looking(log, waiting);
      // Cut back to what was durable, the last group of it written again, then the one that waited.
      const again = fs.steps.slice(steps).filter(({ kind }) => kind !== 'sync-directory');
      expect(again.map(({ kind }) => kind).slice(0, 6)).toEqual([
        ...['truncate', 'sync', 'write', 'write', 'sync', 'write'],
      ]);
      await appendTo(log, 30);
      await log.close();
      expect(fs.openFiles).toBe(0);
      const reopened = await openLog(fs, options);
      expect(reopened.recovery.cut).toBeUndefined();
      expect(await allEntries(reopened)).toEqual(entries(1, 1, 31, 300));
    },
  );

  test('and again at each step of the way back -> it waits on', async () => {
    for (let at = 1; ; at += 1) {
      const { fs, log, waiting } = await fill(3);
      let step = 0;
      fs.before = fullAt(() => {
        step += 1;
        return step === at;
      });
      await looking(log, waiting);
      fs.before = undefined;
      await appendTo(log, 10);
      await log.close();
      expect(fs.openFiles).toBe(0);
      expect(await allEntries(await openLog(fs, options))).toEqual(entries(1, 1, 11, 300));
      if (step < at) {
        expect(at).toBeGreaterThan(8);
        return;
      }
    }
  });

  test('that took the group before it along -> WAL_CORRUPT, and not a byte is written', async () => {
    const { fs, log, waiting, start } = await fill(3);
    fs.put(
      segmentPath(1),
      fs
        .image()
        .get(segmentPath(1))!
        .fill(0, start, start + 40),
    );
    fs.before = undefined;
    const steps = fs.steps.length;
    await expect(looking(log, waiting)).rejects.toMatchObject({
      code: 'WAL_CORRUPT',
      offset: start,
    });
    await expect(append(log, [])).rejects.toMatchObject({ code: 'WAL_CORRUPT' });
    expect(fs.steps.length).toBe(steps);
    await log.close();
    expect(fs.openFiles).toBe(0);
  });

  test('while the segment to come still finds some -> it is looked for all the same', async () => {
    const fs = new FakeFiles();
    const log = await openPatient(fs, options);
    const gate = new Gate(({ kind, path }) => kind === 'write' && path.endsWith('.tmp'));
    fs.before = gate.before;
    while (gate.waiting === 0) await appendTo(log, log.lastIndex() + 1);
    const isFull = fullAt(({ kind, path }) => kind === 'sync' && path.endsWith('.wal'));
    fs.before = (step) => isFull(step) ?? gate.before(step);
    const last = log.lastIndex() + 1;
    const waiting = append(log, entries(1, last, last + 1, 300));
    await settled();
    gate.open();
    await settled();
    // Whoever has space is not asked to look for it: the group would wait for ever.
    expect(log.hasSpace).toBe(false);
    fs.before = undefined;
    await looking(log, waiting);
    await appendTo(log, last + 10);
    await log.close();
    expect(fs.openFiles).toBe(0);
    expect(await allEntries(await openLog(fs, options))).toEqual(entries(1, 1, last + 11, 300));
  });

  test('closed meanwhile -> NO_SPACE; the next open settles it', async () => {
    const { fs, log, waiting } = await fill(3);
    await log.close();
    await expect(waiting).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(fs.openFiles).toBe(0);
    fs.before = undefined;
    const again = await openLog(fs, options);
    const found = await allEntries(again);
    expect(found.length).toBeGreaterThanOrEqual(3);
    expect(found).toEqual(entries(1, 1, found.length + 1, 300));
    await again.close();
  });
});

describe('no space, and then a disk that fails', () => {
  test('at zeros that are tried again -> whoever appends hears of it', async () => {
    const fs = new FakeFiles();
    const log = await openPatient(fs, options);
    fs.before = fullAt(isZeros);
    while (log.hasSpace) await appendTo(log, log.lastIndex() + 1);
    fs.before = (step) => {
      if (isZeros(step)) throw kontikiError('STORAGE_IO', 'worn');
    };
    await log.reserve();
    fs.before = undefined;
    // Without space nothing is proposed, and so nobody would ever be told.
    expect(log.hasSpace).toBe(true);
    const next = log.lastIndex() + 1;
    await expect(appendTo(log, next)).rejects.toMatchObject({ code: 'STORAGE_IO' });
    await log.close();
    expect(fs.openFiles).toBe(0);
  });

  test('at a group of which nobody is told -> whoever appends next hears of it', async () => {
    const fs = new FakeFiles();
    const log = await openPatient(fs, options);
    fs.before = fullAt(isZeros);
    while (log.hasSpace) await appendTo(log, log.lastIndex() + 1);
    fs.before = (step) => {
      if (isZeros(step)) throw kontikiError('NO_SPACE', 'full');
      if (step.kind === 'sync') throw kontikiError('STORAGE_IO', 'worn');
    };
    // The driver's trimmer, say, leaves it to the next append to tell.
    const next = log.lastIndex() + 1;
    await appendTo(log, next).catch(() => undefined);
    await log.reserve();
    expect(log.hasSpace).toBe(true);
    await expect(appendTo(log, next + 1)).rejects.toMatchObject({ code: 'STORAGE_IO' });
    await log.close();
    expect(fs.openFiles).toBe(0);
  });
});

describe('no descriptor left', () => {
  test('for the segment to come -> tried again until there is one, nothing fails', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    let refused = 0;
    fs.before = ({ kind }) => {
      if (kind !== 'create' || refused === 3) return;
      refused += 1;
      throw kontikiError('STORAGE_IO', 'EMFILE: too many open files');
    };
    await appendTo(log, 30);
    expect(refused).toBe(3);
    expect(log.hasSpace).toBe(true);
    await log.close();
    expect(await allEntries(await openLog(fs, options))).toEqual(entries(1, 1, 31, 300));
  });

  test('when the segment is needed -> STORAGE_IO, and what was acknowledged is there', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    fs.before = ({ kind }) => {
      if (kind === 'create') throw kontikiError('STORAGE_IO', 'EMFILE: too many open files');
    };
    await expect(appendTo(log, 40)).rejects.toMatchObject({ code: 'STORAGE_IO' });
    const last = log.lastIndex() - 1;
    await log.close();
    fs.before = undefined;
    const { history } = await readWal({ fs, dir });
    expect(history.terms.last).toBe(last);
    expect(last).toBeGreaterThan(5);
  });
});

describe('zeros of the segment to come that cannot be synced', () => {
  test('-> final, as any failed sync is', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    fs.before = ({ kind, path }) => {
      if (kind === 'sync' && path.endsWith('.tmp')) throw kontikiError('STORAGE_IO', 'worn');
    };
    await expect(appendTo(log, 40)).rejects.toMatchObject({ code: 'STORAGE_IO', message: 'worn' });
    await log.close();
    expect(fs.openFiles).toBe(0);
  });
});
