// LevelDB without CURRENT begins anew and removes every table: nobody gets so far.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemTimers as timers } from '../../../src/base/clock.js';
import { openClassicLevel } from '../../../src/storage/classic-level/index.js';
import type { FileSystem } from '../../../src/storage/file-system.js';
import { readLevelRecords } from '../../../src/storage/level-files/records.js';
import { nodeFileSystem as fs } from '../../../src/storage/node-fs/index.js';
import { WriteBehindBackend } from '../../../src/storage/write-behind.js';

let root: string;
let dir: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kontiki-current-'));
  dir = join(root, 'db');
});
afterEach(() => rm(root, { recursive: true }));

const openBackend = async (): Promise<WriteBehindBackend> =>
  WriteBehindBackend.open({
    ...{ engine: await openClassicLevel(dir, { fs }), timers },
    ...{ flushIntervalMs: 1e9, flushBytes: 2 ** 30, overlayBytesMax: 2 ** 30 },
  });

/** Once for each: the log that the last one found becomes a table. */
async function fill(opens: number): Promise<void> {
  for (let n = 0; n < opens; n += 1) {
    const engine = await openClassicLevel(dir, { fs });
    await engine.write([[`c${n}`, new Uint8Array(100)]], { sync: true });
    await engine.close();
  }
}

async function filesOf(folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of await readdir(folder)) {
    files[name] = (await readFile(join(folder, name))).toString('latin1');
  }
  return files;
}

describe('CURRENT gone', () => {
  test('behind flushes larger than the flush chain reaches -> refused, and nothing is lost', async () => {
    const backend = await openBackend();
    backend.apply([['cprecious', Uint8Array.of(1, 2, 3)]], 1);
    await backend.flush();
    // More than the chain keeps records of: the log alone has all that it asks for.
    const value = new Uint8Array(17 * 2 ** 20).map((_, at) => Math.imul(at, 0x9e3779b1) >>> 24);
    for (let index = 2; index <= 4; index += 1) {
      backend.apply(
        [`c${index}-a`, `c${index}-b`].map((key) => [key, value]),
        index,
      );
      await backend.flush();
    }
    await backend.close();
    const current = await readFile(join(dir, 'CURRENT'));
    await rm(join(dir, 'CURRENT'));
    const names = await readdir(dir);
    await expect(openBackend()).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
      message: expect.stringContaining('CURRENT of the state is damaged at byte 0: it is missing'),
    });
    expect(await readdir(dir)).toEqual(names);
    await writeFile(join(dir, 'CURRENT'), current);
    const again = await openBackend();
    const { records } = await again.read({ keys: ['cprecious'], ranges: [] });
    expect([...(records[0] ?? [])]).toEqual([1, 2, 3]);
    await again.close();
  });

  test.each([
    ['a log', 1],
    ['tables and a log', 3],
  ])('beside %s -> refused, nothing is changed', async (_what, opens) => {
    await fill(opens);
    await rm(join(dir, 'CURRENT'));
    const files = await filesOf(dir);
    await expect(openClassicLevel(dir, { fs })).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    expect(await filesOf(dir)).toEqual(files);
  });

  test('a first open cut short at any of its steps -> nothing is missing, it opens', async () => {
    await (await openClassicLevel(dir, { fs })).close();
    const whole = await filesOf(dir);
    const log = Object.keys(whole).find((name) => name.endsWith('.log'))!;
    const manifest = Object.keys(whole).find((name) => name.startsWith('MANIFEST'))!;
    expect(whole[log]).toBe('');
    for (const names of [[], ['LOCK'], [manifest], [log], [manifest, log, 'LOCK']]) {
      const cut = join(root, `cut-${names.length}`);
      for (const name of names) await cp(join(dir, name), join(cut, name));
      const found = await readLevelRecords({ fs, dir: cut, visit: () => {} });
      expect(found.records).toBe(0);
      await (await openClassicLevel(cut, { fs })).close();
      await rm(cut, { recursive: true });
    }
  });
});

test('an open -> the name that LevelDB gave to CURRENT is synced; if not, the engine is closed', async () => {
  const synced: string[] = [];
  const watched: FileSystem = {
    ...fs,
    syncDirectory: async (path) => void synced.push(path),
  };
  await (await openClassicLevel(dir, { fs: watched })).close();
  expect(synced).toEqual([dir]);
  const failing: FileSystem = {
    ...fs,
    syncDirectory: () => Promise.reject(new Error('not today')),
  };
  await expect(openClassicLevel(dir, { fs: failing })).rejects.toThrow('not today');
  await (await openClassicLevel(dir, { fs })).close();
});
