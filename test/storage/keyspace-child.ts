/**
 * Opens damaged copies of a keyspace, one after the other, and says what became of each; a process of
 * its own, since an assertion of LevelDB takes the process down. Arguments: the folder with the
 * original in `good`, number of the first case, stride. Prints `<case> <file> <outcome>` lines.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemTimers } from '../../src/base/clock.js';
import { isKontikiError } from '../../src/base/errors.js';
import { decodeCurrent } from '../../src/mvcc/record.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { nodeFileSystem } from '../../src/storage/node-fs/index.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';

interface Case {
  readonly file: string;
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** Every byte flipped (one bit of it, each in turn) and every cut, of every file with data in it. */
function casesOf(files: ReadonlyMap<string, Buffer>): Case[] {
  const cases: Case[] = [];
  for (const [file, good] of files) {
    for (let at = 0; at < good.length; at += 1) {
      const flipped = Uint8Array.from(good);
      flipped[at]! ^= 1 << (at % 8);
      cases.push({ file, what: `flip-${at}`, bytes: flipped });
      cases.push({ file, what: `cut-${at}`, bytes: good.subarray(0, at) });
    }
  }
  return cases;
}

async function outcomeOf(folder: string, states: Record<string, string>): Promise<string> {
  try {
    const backend = await WriteBehindBackend.open({
      engine: await openClassicLevel(folder, { fs: nodeFileSystem }),
      timers: systemTimers,
      verify: (key, bytes) => void decodeCurrent(key, bytes),
    });
    try {
      const view = backend.capture();
      const found: string[] = [];
      for (;;) {
        const records = await view.next(100);
        if (records.length === 0) break;
        for (const [key, bytes] of records) {
          found.push(`${key}=${Buffer.from(bytes).toString('hex')}`);
        }
      }
      const index = backend.openedIndex;
      if (states[index] !== found.join()) return `different-at-${index}`;
      return index === Object.keys(states).length - 1 ? 'same' : 'earlier';
    } finally {
      await backend.close();
    }
  } catch (error) {
    if (isKontikiError(error)) return `refused-${error.code}`;
    return `untyped-${String(error)}`;
  }
}

const [folder = '', first = '0', stride = '1'] = process.argv.slice(2);
const good = new Map<string, Buffer>();
// LOCK is empty; LOG is what LevelDB tells people, and starts anew at each open.
for (const name of readdirSync(join(folder, 'good')).filter((one) => !/^LO(CK|G)/.test(one))) {
  good.set(name, readFileSync(join(folder, 'good', name)));
}
const states = JSON.parse(readFileSync(join(folder, 'states.json'), 'utf8')) as Record<
  string,
  string
>;
const cases = casesOf(good);

async function main(): Promise<void> {
  for (let at = Number(first); at < cases.length; at += Number(stride)) {
    const { file, what, bytes } = cases[at]!;
    const copy = join(folder, 'copy');
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy);
    for (const [name, whole] of good)
      writeFileSync(join(copy, name), name === file ? bytes : whole);
    // Said before: it may be the last thing this process says.
    process.stdout.write(`${at} ${file} ${what} `);
    process.stdout.write(`${await outcomeOf(copy, states)}\n`);
  }
  process.stdout.write('end\n');
}

void main();
