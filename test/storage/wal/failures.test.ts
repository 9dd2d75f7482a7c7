// Every step a log takes on its files fails once, in every way: what was acknowledged is still there.
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import type { Entry } from '../../../src/raft/types.js';
import { FakeFiles, settled } from './fake-files.js';
import { allEntries, append, entries, looking, openLog, openPatient } from './log.js';

const options = { segmentBytes: 1_600, preallocateBytes: 1_024 };

interface Progress {
  opened: boolean;
  acknowledged: number;
  issued: Entry[];
  error: unknown;
}

/** Opens a log, appends until something fails, closes. */
async function script(fs: FakeFiles): Promise<Progress> {
  const progress: Progress = { opened: false, acknowledged: 0, issued: [], error: undefined };
  try {
    const log = await openPatient(fs, options);
    progress.opened = true;
    try {
      for (let lo = log.lastIndex() + 1; lo < 20; lo += 2) {
        const added = entries(1, lo, lo + 2, 260);
        progress.issued.push(...added);
        await looking(log, append(log, added, { term: 1, vote: 1, commit: lo - 1 }));
        progress.acknowledged = lo + 1;
        // Zeros ahead of the writer are a step like any other.
        await settled();
      }
    } finally {
      await log.close();
    }
  } catch (error) {
    progress.error = error;
  }
  expect(fs.openFiles).toBe(0);
  return progress;
}

describe.each([
  ['STORAGE_IO, nothing written', 'STORAGE_IO', 0],
  ['STORAGE_IO, half written', 'STORAGE_IO', 0.5],
  ['STORAGE_IO, all written', 'STORAGE_IO', 1],
  ['NO_SPACE, nothing written', 'NO_SPACE', 0],
  ['NO_SPACE, half written', 'NO_SPACE', 0.6],
] as const)('%s', (_, code, part) => {
  test('at each step of a log’s life -> its error, and after it all that was acknowledged', async () => {
    const clean = new FakeFiles();
    expect(await script(clean)).toMatchObject({ acknowledged: 20, error: undefined });
    const steps = clean.steps.length;
    expect(steps).toBeGreaterThan(40);
    let failed = 0;
    for (let at = 0; at < steps; at += 1) {
      const fs = new FakeFiles();
      let step = 0;
      fs.failedWritePart = part;
      fs.before = () => {
        step += 1;
        if (step === at + 1) throw kontikiError(code, `step ${at} fails`);
      };
      const { opened, acknowledged, issued, error } = await script(fs);
      // Once open, a log waits for space.
      if (opened && code === 'NO_SPACE') {
        expect({ acknowledged, error }, `step ${at}`).toEqual({
          acknowledged: 20,
          error: undefined,
        });
        failed += 1;
      }
      if (error !== undefined) {
        expect(error).toMatchObject({ code, message: `step ${at} fails` });
        failed += 1;
      }
      fs.before = undefined;
      const again = await openLog(fs, options);
      const found = await allEntries(again);
      expect(found.length, `step ${at}`).toBeGreaterThanOrEqual(acknowledged);
      expect(found, `step ${at}`).toEqual(issued.slice(0, found.length));
      const { commit } = again.initialState().hardState;
      expect(commit).toBeGreaterThanOrEqual(Math.max(0, acknowledged - 2));
      await again.close();
      expect(await script(fs)).toMatchObject({ error: undefined });
    }
    expect(failed).toBeGreaterThan(steps / 2);
  });
});

describe('an opening that fails', () => {
  test('at each step, again and again -> the log opens in the end, with everything', async () => {
    const fs = new FakeFiles();
    await script(fs);
    for (let at = 0; at < 6; at += 1) {
      let step = 0;
      fs.before = () => {
        step += 1;
        if (step === at + 1) throw kontikiError('STORAGE_IO', 'again');
      };
      await openLog(fs, options).then(
        (log) => log.close(),
        (error) => expect(error).toMatchObject({ code: 'STORAGE_IO' }),
      );
      expect(fs.openFiles).toBe(0);
    }
    fs.before = undefined;
    const log = await openLog(fs, options);
    expect(await allEntries(log)).toEqual(entries(1, 1, 21, 260));
    await log.close();
  });
});

describe('no space', () => {
  test('for zeros ahead -> appends go on', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { preallocateBytes: 2_048 });
    let refused = 0;
    fs.before = (step) => {
      if (step.kind !== 'write' || step.length !== 1_024) return;
      refused += 1;
      throw kontikiError('NO_SPACE', 'full');
    };
    for (let index = 1; index < 30; index += 1)
      await append(log, entries(1, index, index + 1, 200));
    expect(log.hasSpace).toBe(false);
    expect(await log.reserve()).toBe(false);
    fs.before = undefined;
    expect(await log.reserve()).toBe(true);
    expect(log.hasSpace).toBe(true);
    await log.close();
    expect(refused).toBeGreaterThan(2);
    expect(await allEntries(await openLog(fs))).toEqual(entries(1, 1, 30, 200));
  });
});

describe('zeros ahead that cannot be written, for another reason than space', () => {
  test('the next append -> rejects with that reason', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { preallocateBytes: 2_048 });
    fs.before = (step) => {
      if (step.kind === 'write' && step.length === 1_024) throw kontikiError('STORAGE_IO', 'worn');
    };
    let index = 0;
    const filling = async (): Promise<void> => {
      for (; index < 30; index += 1) {
        await append(log, entries(1, index + 1, index + 2, 200));
        await settled();
      }
    };
    await expect(filling()).rejects.toMatchObject({ code: 'STORAGE_IO', message: 'worn' });
    await log.close();
    fs.before = undefined;
    expect(await allEntries(await openLog(fs))).toEqual(entries(1, 1, index + 1, 200));
  });
});
