// A log beside a state that cannot be of the same member: refused before a byte is changed, above all
// where its last group looks torn.
import { describe, expect, test } from 'vitest';
import { FakeFiles, type Image } from './fake-files.js';
import { append, changed, entries, openLog, segmentPath, tailOf } from './log.js';

/** A log of three entries, in a group of its own each; the last is of many sectors. */
async function threeGroups(): Promise<Image> {
  const files = new FakeFiles();
  const log = await openLog(files);
  await append(log, entries(1, 1, 2));
  await append(log, entries(1, 2, 3));
  await append(log, entries(1, 3, 4, 6_000));
  await log.close();
  return files.image();
}

async function tornLog(): Promise<Image> {
  const image = await threeGroups();
  const { start } = await tailOf(image);
  const sector = Math.ceil(start / 512) * 512 + 1_024;
  return changed(image, segmentPath(1), (file) => file.fill(0, sector, sector + 512));
}

/** A log that begins behind entry 9. */
async function laterLog(isInstalled: boolean): Promise<Image> {
  const files = new FakeFiles();
  const log = await openLog(files);
  const last = { term: 1, index: 9 };
  const hardState = { term: 1, vote: 0, commit: 9 };
  const snapshot = { last, configuration: { voters: [1] } };
  await log.append({ snapshot, entries: [], hardState, mustSync: true });
  if (isInstalled) await log.installed(last);
  await log.close();
  return files.image();
}

async function refuses(image: Image, applied: number, code: string): Promise<void> {
  const files = new FakeFiles(image);
  await expect(openLog(files, { applied })).rejects.toMatchObject({ code });
  expect(files.steps).toEqual([]);
  expect(files.image()).toEqual(image);
}

async function opens(image: Image, applied: number): Promise<FakeFiles> {
  const files = new FakeFiles(image);
  await (await openLog(files, { applied })).close();
  return files;
}

describe('a log and what the state has applied', () => {
  test('a last group that looks torn and is applied -> WAL_CORRUPT, nothing is cut', async () => {
    const image = await tornLog();
    await refuses(image, 3, 'WAL_CORRUPT');
    expect((await opens(image, 2)).count('truncate')).toBeGreaterThan(0);
  });

  test('no log, and something is applied -> WAL_CORRUPT, none is begun', async () => {
    await refuses(new Map(), 1, 'WAL_CORRUPT');
    await opens(new Map(), 0);
  });

  test('the log begins behind it -> STATE_CORRUPT, unless a snapshot is being installed', async () => {
    const image = await laterLog(true);
    await refuses(image, 8, 'STATE_CORRUPT');
    await opens(image, 9);
    await opens(await laterLog(false), 8);
  });
});
