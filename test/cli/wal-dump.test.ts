/**
 * `kontiki wal dump` on files: every record up to the end or the first damage, an exit status that
 * tells which, and nothing changed.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { crc32 } from '../../src/base/crc32.js';
import { run } from './cli.js';

const golden = join(import.meta.dirname, '..', 'compat', 'wal-v1');
const folder = mkdtempSync(join(tmpdir(), 'kontiki-wal-dump-'));
let copies = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function copy(place = '.'): string {
  copies += 1;
  const dir = join(folder, `copy-${copies}`);
  cpSync(golden, join(dir, place), { recursive: true });
  return dir;
}

function change(dir: string, name: string, edit: (bytes: Buffer) => Buffer): string {
  const path = join(dir, name);
  writeFileSync(path, edit(readFileSync(path)));
  return path;
}

const first = '0000000000000006.wal';
const last = '000000000000000c.wal';

describe('wal dump', () => {
  test('an intact log -> status 0, every kind of record, and where it ends', async () => {
    const dir = copy();
    const { code, out, errors } = await run('wal', 'dump', dir);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(out.split('\n')[0]).toBe(`format 1  ${dir}/${first}`);
    for (const line of [
      /^ +\d+ {2}#\d+ {2}head {11}behind entry \d+ of term \d, the log starts with segment 1$/m,
      /^ +\d+ {2}#\d+ {2}entry {10}44, term 4, normal, 600 bytes$/m,
      /^ +\d+ {2}#\d+ {2}hard-state {5}term 4, vote 2, commit 44$/m,
      /^ +\d+ {2}#\d+ {2}start {10}behind entry \d+ of term \d, the log starts with segment 6$/m,
      /installing {5}snapshot of entry 40 of term 3: voters 1 2 4, outgoing 1 2 3, learners 9, left/,
      /installed {6}snapshot of entry 40 of term 3$/m,
      /configuration {2}at entry 44: voters 1 2 4$/m,
    ]) {
      expect(out).toMatch(line);
    }
    expect(out.split('\n').at(-1)).toMatch(/^end {2}segment 12 byte \d+: entries 41 to 45$/);
    expect(readdirSync(dir)).toEqual(readdirSync(golden));
  });

  test('the directory of a member -> its log', async () => {
    const { code, out } = await run('wal', 'dump', copy('wal'));
    expect(code).toBe(0);
    expect(out).toContain(`/wal/${first}`);
  });

  test('a damaged record -> status 1, the records before it, then file and offset', async () => {
    const dir = copy();
    const path = change(dir, '000000000000000a.wal', (bytes) => {
      bytes[900] = bytes.readUInt8(900) ^ 1;
      return bytes;
    });
    const { code, out } = await run('wal', 'dump', dir);
    expect(code).toBe(1);
    expect(out.split('\n').at(-1)).toMatch(/^damage {2}.*000a\.wal byte \d+: .*checksum/);
    expect(out).toContain(path);
    expect(out).toContain('entry ');
    expect(out).not.toMatch(/^end/m);
  });

  test('a torn last write -> status 0, and says that opening cuts it', async () => {
    const dir = copy();
    const path = change(dir, last, (bytes) => bytes.subarray(0, bytes.length - 1));
    const { code, out } = await run('wal', 'dump', dir);
    expect(code).toBe(0);
    expect(out).toMatch(/^torn {2}.* byte \d+: /m);
    expect(out).toContain(path);
  });

  test('a segment that is missing -> status 1 and its name', async () => {
    const dir = copy();
    rmSync(join(dir, '0000000000000009.wal'));
    const { code, out } = await run('wal', 'dump', dir);
    expect(code).toBe(1);
    expect(out).toMatch(/^damage {2}.*0009\.wal byte 0: .*missing/m);
  });

  test('segments from before the start -> status 0, named', async () => {
    const dir = copy();
    cpSync(join(dir, first), join(dir, '0000000000000003.wal'));
    const { code, out } = await run('wal', 'dump', dir);
    expect(code).toBe(0);
    expect(out).toMatch(/^left over {2}.*0003\.wal/m);
  });

  test('a later format version -> status 2, FORMAT_UNSUPPORTED by file and version', async () => {
    const dir = copy();
    change(dir, first, (bytes) => {
      bytes.writeUInt32LE(9, 8);
      bytes.writeUInt32LE(crc32(bytes.subarray(0, 508)), 508);
      return bytes;
    });
    const { code, errors } = await run('wal', 'dump', dir);
    expect(code).toBe(2);
    expect(errors).toMatch(/FORMAT_UNSUPPORTED.*0006\.wal has format version 9/);
  });

  test.each([
    [['wal'], "'dump'"],
    [['wal', 'drop', golden], "'dump'"],
    [['wal', 'dump'], 'one directory'],
    [['wal', 'dump', golden, golden], 'one directory'],
    [['wal', 'dump', folder], 'expected a log'],
    [['wal', 'dump', join(folder, 'nowhere')], 'expected a log'],
  ])('%j -> status 2', async (words, problem) => {
    const { code, out, errors } = await run(...words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(errors).toContain(problem);
  });
});

describe('check', () => {
  test('a log that was truncated -> says from where to where it goes', async () => {
    const { out } = await run('check', copy('wal'));
    expect(out).toMatch(/^log +format 1, 7 segments, \d+ intact records$/m);
    expect(out).toMatch(/^entries +41 to 45$/m);
    expect(out).toMatch(/^terms +3: 41 to 43; 4: 44 to 45$/m);
    expect(out).toMatch(/^voters +1, 2, 4$/m);
    expect(out).toMatch(/^hard state +term 4, vote 2, commit 44$/m);
  });
});
