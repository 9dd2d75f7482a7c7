// A disk that is full, or a process without descriptors: refused in time, cut back, and nothing lost.
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import { readWal, type WalLogStore } from '../../../src/storage/wal/index.js';
import { FakeFiles, type Step, settled } from './fake-files.js';
import { allEntries, append, dir, entries, openLog, segmentPath } from './log.js';

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

  test.each(['create', 'write', 'sync', 'rename', 'sync-directory'] as const)(
    'for a segment when it is needed, at its %s -> NO_SPACE, and what was acknowledged is there',
    async (kind) => {
      const fs = new FakeFiles();
      const log = await openLog(fs, { ...options, preallocateBytes: 0 });
      const isOfNext = ({ path }: Step) => path.endsWith('.tmp');
      fs.before = fullAt((step) => {
        if (step.kind !== kind) return false;
        return kind === 'sync-directory' || isOfNext(step);
      });
      let acknowledged = 0;
      const filling = async () => {
        for (acknowledged = 0; acknowledged < 40; acknowledged += 1) {
          await appendTo(log, acknowledged + 1);
        }
      };
      await expect(filling()).rejects.toMatchObject({ code: 'NO_SPACE' });
      expect(acknowledged).toBeGreaterThan(5);
      await expect(append(log, [])).rejects.toMatchObject({ code: 'NO_SPACE' });
      // Reading goes on.
      expect((await allEntries(log)).length).toBeGreaterThanOrEqual(acknowledged);
      await log.close();
      fs.before = undefined;
      const again = await openLog(fs, options);
      expect(again.recovery.cut).toBeUndefined();
      expect(await allEntries(again)).toEqual(entries(1, 1, acknowledged + 1, 300));
      await appendTo(again, 40);
      await again.close();
      expect(await allEntries(await openLog(fs, options))).toEqual(entries(1, 1, 41, 300));
    },
  );

  test('at a sync -> the store fails; the next open settles it', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    await appendTo(log, 3);
    fs.before = fullAt(({ kind }) => kind === 'sync');
    await expect(appendTo(log, 4)).rejects.toMatchObject({ code: 'NO_SPACE' });
    await expect(appendTo(log, 9)).rejects.toMatchObject({ code: 'NO_SPACE' });
    await log.close();
    // Nothing of the file that failed is written or synced again.
    const steps = fs.steps.length;
    fs.before = undefined;
    const again = await openLog(fs, options);
    expect(fs.steps.length).toBeGreaterThan(steps);
    const found = await allEntries(again);
    expect(found.length).toBeGreaterThanOrEqual(3);
    expect(found).toEqual(entries(1, 1, found.length + 1, 300));
    await again.close();
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
