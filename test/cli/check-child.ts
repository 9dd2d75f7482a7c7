/** Checks damaged copies of a data directory, opens each, and says what came of both; see `every-byte`. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outcomeOfOpening } from '../preset/whole-directory.js';
import { damageEach } from '../storage/every-byte.js';
import { run } from './cli.js';

const words = ['ok', 'damage', 'unreadable'] as const;

function digest(dir: string): string {
  const hash = createHash('sha256');
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    hash.update(join(entry.parentPath, entry.name));
    if (entry.isFile()) hash.update(readFileSync(join(entry.parentPath, entry.name)));
  }
  return hash.digest('hex');
}

const expected = readFileSync(join(process.argv[2] ?? '', 'expected.json'), 'utf8');
void damageEach(async (copy) => {
  const before = digest(copy);
  const { code } = await run('check', copy);
  const checked = digest(copy) === before ? words[code] : 'changed';
  return `${checked}-${await outcomeOfOpening(copy, expected)}`;
});
