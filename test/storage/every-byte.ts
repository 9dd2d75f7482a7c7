/**
 * Damages a folder in every way that a byte can be, and has somebody say what became of each copy. Runs
 * in a process of its own, since an assertion of LevelDB takes the process down: `every-byte-outcomes`
 * starts it, and starts it again behind what it died of.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Case {
  /** Path in the folder. */
  readonly file: string;
  readonly what: string;
  readonly bytes: Uint8Array;
}

/**
 * Prints `<case> <file> <what> <outcome>` lines, and `end`. Arguments of the process: a folder with the
 * original in `good`, number of the first case, stride.
 *
 * @param outcomeOf - opens the copy; one word
 */
export async function damageEach(outcomeOf: (copy: string) => Promise<string>): Promise<void> {
  const [folder = '', first = '0', stride = '1'] = process.argv.slice(2);
  const good = filesIn(join(folder, 'good'));
  const cases = casesOf(good);
  for (let at = Number(first); at < cases.length; at += Number(stride)) {
    const { file, what, bytes } = cases[at] as Case;
    const copy = join(folder, 'copy');
    rmSync(copy, { recursive: true, force: true });
    for (const [name, whole] of good) {
      mkdirSync(dirname(join(copy, name)), { recursive: true });
      writeFileSync(join(copy, name), name === file ? bytes : whole);
    }
    // Said before: it may be the last thing this process says.
    process.stdout.write(`${at} ${file} ${what} `);
    process.stdout.write(`${await outcomeOf(copy)}\n`);
  }
  process.stdout.write('end\n');
}

/** By path. LevelDB's LOCK is empty, and its LOG is for people and starts anew at each open. */
function filesIn(folder: string): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || /^LO(CK|G)/.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1), readFileSync(path));
  }
  return files;
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
