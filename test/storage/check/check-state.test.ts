// A state that a real backend wrote into a real LevelDB, checked without opening it: its flushes, what is
// missing among them, and what a crash may leave of the last one.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkState } from '../../../src/storage/check/check-state.js';
import { openClassicLevel } from '../../../src/storage/classic-level/index.js';
import { readLogFile } from '../../../src/storage/level-files/log-file.js';
import { nodeFileSystem as fs } from '../../../src/storage/node-fs/index.js';
import { WriteBehindBackend } from '../../../src/storage/write-behind.js';
import { levelLog } from '../level-files/write-log-file.js';
import { ManualTimers } from '../manual-timers.js';

const timers = new ManualTimers();
const flushes = 6;
let dir: string;
let logFile: string;
let good: Buffer;
let records: readonly Uint8Array[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kontiki-state-'));
  await withBackend(async (backend) => {
    for (let n = 1; n <= flushes; n += 1) {
      // Longer than a block of the log, so that records are in several fragments.
      backend.apply(
        [
          [`c${n}`, new Uint8Array(20_000).fill(n)],
          ['ccount', Uint8Array.of(n)],
        ],
        n,
      );
      await backend.flush();
    }
  });
  logFile = join(dir, (await readdir(dir)).find((name) => name.endsWith('.log'))!);
  good = await readFile(logFile);
  records = readLogFile(good).records.map(({ bytes }) => bytes);
  expect(records).toHaveLength(flushes);
});
afterEach(() => rm(dir, { recursive: true }));

async function withBackend(use: (backend: WriteBehindBackend) => Promise<void>): Promise<number> {
  const backend = await WriteBehindBackend.open({
    engine: await openClassicLevel(dir, { fs }),
    timers,
  });
  await use(backend);
  await backend.close();
  return backend.openedIndex;
}

async function checkLog(bytes: Uint8Array) {
  await writeFile(logFile, bytes);
  const before = await readdir(dir);
  try {
    return await checkState({ fs, dir });
  } finally {
    expect(await readdir(dir)).toEqual(before);
    expect(await readFile(logFile)).toEqual(Buffer.from(bytes));
  }
}

/** What LevelDB and the flush chain make of the same files. */
const opened = (): Promise<number> => withBackend(async () => undefined);

describe('flushes', () => {
  test('all there -> the applied index, the last flush, every record', async () => {
    const found = await checkLog(levelLog(records));
    expect(found).toMatchObject({
      appliedIndex: flushes,
      lastFlush: { seq: flushes, to: flushes },
    });
    // Beside the caller's: the applied index, and a record for each flush.
    expect(found.contents).toMatchObject({ logs: 1, tables: 0, records: 2 * flushes + 2 });
    expect(await opened()).toBe(flushes);
    // The log is a table now, and a new one holds what was written at open.
    const again = await checkState({ fs, dir });
    expect(again).toMatchObject({ appliedIndex: flushes, contents: { tables: 1, logs: 1 } });
  });

  test.each(Array.from({ length: flushes - 1 }, (_, nth) => nth))(
    'number %i from 0 taken out -> STATE_CORRUPT, as at open',
    async (nth) => {
      const rest = checkLog(levelLog(records.filter((_, at) => at !== nth)));
      const message = nth === 0 ? /flushes 1 to 6 are expected/ : /flush \d follows flush \d/;
      await expect(rest).rejects.toMatchObject({
        code: 'STATE_CORRUPT',
        message: expect.stringMatching(message),
      });
      await expect(opened()).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    },
  );

  test('the last one taken out -> the state before it, as at open', async () => {
    const found = await checkLog(levelLog(records.slice(0, -1)));
    expect(found.appliedIndex).toBe(flushes - 1);
    expect(await opened()).toBe(flushes - 1);
  });

  test('without the applied index -> STATE_CORRUPT', async () => {
    const engine = await openClassicLevel(dir, { fs });
    await engine.write([['b', undefined]], { sync: true });
    await engine.close();
    await expect(checkState({ fs, dir })).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
      message: expect.stringContaining('no applied index'),
    });
  });
});

describe('the last flush cut short by a crash', () => {
  const end = 300;

  test('the file ends inside it -> told, and the state before it', async () => {
    const found = await checkLog(good.subarray(0, good.length - end));
    const { offset } = readLogFile(good).records.at(-1)!;
    expect(found.contents.torn).toEqual({ file: logFile, offset });
    expect(found.appliedIndex).toBe(flushes - 1);
    expect(await opened()).toBe(flushes - 1);
  });

  test('and an open cut short had begun another log -> the same', async () => {
    await writeFile(join(dir, '000999.log'), '');
    const found = await checkLog(good.subarray(0, good.length - end));
    expect(found).toMatchObject({
      appliedIndex: flushes - 1,
      contents: { torn: { file: logFile } },
    });
    expect(await opened()).toBe(flushes - 1);
  });

  test('a sector of it was never written -> told, and the state before it', async () => {
    const at = Math.ceil((readLogFile(good).records.at(-1)!.offset + 600) / 512) * 512;
    const bytes = Buffer.from(good).fill(0, at, at + 512);
    const found = await checkLog(bytes);
    expect(found).toMatchObject({
      appliedIndex: flushes - 1,
      contents: { torn: { file: logFile } },
    });
    expect(await opened()).toBe(flushes - 1);
  });

  test('the same of a flush before it -> STATE_CORRUPT with file and offset', async () => {
    const { offset } = readLogFile(good).records.at(-2)!;
    const at = Math.ceil((offset + 600) / 512) * 512;
    await expect(checkLog(Buffer.from(good).fill(0, at, at + 512))).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
      message: expect.stringMatching(
        /\.log of the state is damaged at byte \d+: a checksum is wrong/,
      ),
    });
  });
});

test('the audit -> gets each record of the caller once, in order, and is asked last', async () => {
  const keys: string[] = [];
  let ended = 0;
  const audit = {
    add: (key: string, bytes: Uint8Array) => {
      expect(ended).toBe(0);
      if (key !== 'ccount') expect(bytes).toHaveLength(20_000);
      keys.push(key);
    },
    end: () => {
      ended += 1;
    },
  };
  await checkState({ fs, dir, audit });
  expect(keys).toEqual(['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'ccount']);
  expect(ended).toBe(1);
});
