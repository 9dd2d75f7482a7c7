// The check and the store agree about a sample of damaged copies of a whole data directory: what is `ok`
// opens with all that was acknowledged, what refuses to open is damaged or unreadable, and a check
// changes no byte. KONTIKI_DEPTH=n tries n times as many; see also test/preset/whole-directory-bytes.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fillDirectory } from '../preset/whole-directory.js';
import { outcomesOfDamage } from '../storage/every-byte-outcomes.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const stride = Math.max(1, Math.floor(397 / depth) | 1);
const child = new URL('./check-child.ts', import.meta.url);

test('data directory: a sample of bytes flipped and cut -> check and store agree', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kontiki-agree-'));
  try {
    await writeFile(join(folder, 'expected.json'), await fillDirectory(join(folder, 'good')));
    const legal = /^(ok-same|(damage|unreadable)-(same|refused-[A-Z_]+))$/;
    const outcomes = outcomesOfDamage({ child, folder, stride, legal });
    for (const outcome of ['ok-same', 'damage-same', 'damage-refused-WAL_CORRUPT']) {
      expect(outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(0);
    }
    if (depth > 1) console.log(Object.fromEntries(outcomes));
  } finally {
    await rm(folder, { recursive: true });
  }
}, 3_600_000);
