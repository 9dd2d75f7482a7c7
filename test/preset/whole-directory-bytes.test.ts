// Every byte of every file of a real data directory, flipped and cut: the store opens with all that was
// acknowledged, which is all there is, or refuses with a code. KONTIKI_DEPTH=n tries n times as many;
// 401 or more tries every one.
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { outcomesOfDamage } from '../storage/every-byte-outcomes.js';
import { fillDirectory } from './whole-directory.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const stride = Math.max(1, Math.floor(401 / depth) | 1);
const child = new URL('./whole-directory-child.ts', import.meta.url);
const codes = 'WAL_CORRUPT|STATE_CORRUPT|SNAPSHOT_CORRUPT|FORMAT_UNSUPPORTED|STORAGE_IO';

test('data directory: each byte flipped and cut -> all that was acknowledged, or refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kontiki-directory-'));
  try {
    const good = join(folder, 'good');
    await writeFile(join(folder, 'expected.json'), await fillDirectory(good));
    const names = (await readdir(good, { recursive: true })).join(' ');
    for (const part of [
      /wal\/0*1\.wal/,
      /wal\/0*3\.wal/,
      /\.snapshot/,
      /state\.current/,
      /\.log/,
    ]) {
      expect(names).toMatch(part);
    }
    const legal = new RegExp(`^(same|refused-(${codes}))$`);
    const outcomes = outcomesOfDamage({ child, folder, stride, legal });
    for (const outcome of ['same', 'refused-WAL_CORRUPT', 'refused-STATE_CORRUPT']) {
      expect(outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(0);
    }
    if (depth > 1) console.log(Object.fromEntries(outcomes));
  } finally {
    await rm(folder, { recursive: true });
  }
}, 3_600_000);
