/**
 * The program as its user meets it: words in, lines and an exit status out, on directories that a
 * real store wrote.
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/index.js';
import { nodeFileSystem } from '../../src/storage/node-fs/index.js';
import { type ReadWalOptions, readWal } from '../../src/storage/wal/index.js';
import { packageFile, run, runWith } from './cli.js';

describe('command line', () => {
  test('--version: -> prints the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
    expect(await run('--version')).toEqual({ code: 0, out: version, errors: '' });
    expect(await run('-v')).toMatchObject({ out: version });
  });

  test('--help: -> lists every command', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    expect(out).toContain('check DIR');
    expect(out).toContain('wal dump DIR');
  });

  test.each([
    [[], 'expected a command'],
    [['chek'], "'chek'"],
    [['check'], 'one directory'],
    [['check', 'a', 'b'], 'one directory'],
    [['check', '--fast', 'a'], '--fast'],
  ])('%j: wrong usage -> status 2 and says what is wrong', async (words, problem) => {
    const { code, out, errors } = await run(...words);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(errors).toContain(problem);
  });

  test('an error that nobody expected -> status 2 and its stack, for 1 means damage', async () => {
    const loadTesting = () => Promise.reject(new RangeError('a test'));
    const { code, errors } = await runWith({ loadTesting }, 'sim', '--seed', '1');
    expect(code).toBe(2);
    expect(errors).toMatch(/^kontiki: RangeError: a test\n +at /);
  });

  test.skipIf(!existsSync('/dev/full'))(
    'an answer that cannot be written (skipped unless there is a /dev/full) -> status 2',
    () => {
      const full = openSync('/dev/full', 'w');
      try {
        const main = join(import.meta.dirname, '../../src/cli/main.ts');
        const { status, stderr } = spawnSync(
          process.execPath,
          ['--import', 'tsx', main, '--help'],
          {
            stdio: ['ignore', full, 'pipe'],
          },
        );
        expect({ status, stderr: String(stderr) }).toEqual({ status: 2, stderr: '' });
      } finally {
        closeSync(full);
      }
    },
  );
});

describe('check', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kontiki-check-'));
  const intact = join(folder, 'intact');
  /** Entries: the new leader's own, and its session. */
  const beforePuts = 2;
  const puts = 20;
  let copies = 0;

  beforeAll(async () => {
    const store = await openStore({ name: 'solo', dir: intact });
    for (let at = 0; at < puts; at += 1) await store.put(`key-${at}`, `value-${at}`);
    await store.close();
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function copy(): string {
    copies += 1;
    const dir = join(folder, `copy-${copies}`);
    cpSync(intact, dir, { recursive: true });
    return dir;
  }

  function logFile(dir: string): string {
    const segments = readdirSync(join(dir, 'wal')).filter((name) => name.endsWith('.wal'));
    return join(dir, 'wal', segments[0] as string);
  }

  function flip(file: string, offset: number): void {
    const bytes = readFileSync(file);
    bytes[offset] = (bytes[offset] as number) ^ 1;
    writeFileSync(file, bytes);
  }

  /** Offset of the last byte of the record of a put. The log masks records: only its reader finds it. */
  async function endOfValue(dir: string, value: string): Promise<number> {
    let end = 0;
    const visit: ReadWalOptions['visit'] = (record, { offset, size }) => {
      const isIt = record.kind === 'entry' && Buffer.from(record.entry.data).includes(value);
      if (isIt) end = offset + size - 1;
    };
    await readWal({ fs: nodeFileSystem, dir: `${dir}/wal`, visit });
    expect(end).toBeGreaterThan(0);
    return end;
  }

  function contents(dir: string): Record<string, string> {
    const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const pairs = files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path, readFileSync(path).toString('base64')];
    });
    return Object.fromEntries(pairs) as Record<string, string>;
  }

  test('intact directory: -> status 0, tells identity, formats, entries and hard state', async () => {
    const { code, out, errors } = await run('check', intact);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(out).toMatch(/^member +solo, id \d+/m);
    expect(out).toMatch(/^member file +format 1$/m);
    expect(out).toMatch(/^log +format 1, 1 segment, \d+ intact records$/m);
    expect(out).toMatch(new RegExp(`^entries +1 to ${beforePuts + puts}$`, 'm'));
    expect(out).toMatch(new RegExp(`^terms +1: 1 to ${beforePuts + puts}$`, 'm'));
    expect(out).toMatch(/^hard state +term 1, vote \d+, commit \d+$/m);
    expect(out).toMatch(/^ok$/m);
  });

  test('any directory: -> changes nothing in it', async () => {
    const dir = copy();
    flip(logFile(dir), await endOfValue(dir, 'value-7'));
    const before = contents(dir);
    await run('check', dir);
    expect(contents(dir)).toEqual(before);
  });

  test('a byte of an entry flipped: -> status 1, file and offset, and what is intact before', async () => {
    const dir = copy();
    const flipped = await endOfValue(dir, 'value-7');
    flip(logFile(dir), flipped);
    const { code, out } = await run('check', dir);
    expect(code).toBe(1);
    expect(out).toMatch(/^damage +WAL_CORRUPT/m);
    const place = /^first at +(\S+) byte (\d+)$/m.exec(out);
    expect(place?.[1]).toBe(`${dir}/wal/${basename(logFile(dir))}`);
    expect(Number(place?.[2])).toBeLessThanOrEqual(flipped);
    expect(Number(place?.[2])).toBeGreaterThan(flipped - 200);
    // Seven puts are whole: 0 to 6.
    expect(out).toMatch(new RegExp(`^entries +1 to ${beforePuts + 7}$`, 'm'));
    expect(out).not.toMatch(/^ok$/m);
  });

  test('log cut inside its last write: -> status 0, and says that opening cuts it', async () => {
    const dir = copy();
    truncateSync(logFile(dir), await endOfValue(dir, `value-${puts - 1}`));
    // Else it tells that the write was acknowledged: see check.test.ts.
    rmSync(join(dir, 'state'), { recursive: true });
    const { code, out } = await run('check', dir);
    expect(out).toMatch(/^note +the last write, in .* at byte \d+/m);
    expect(code).toBe(0);
  });

  test('a byte of the member file flipped: -> status 1, STATE_CORRUPT', async () => {
    const dir = copy();
    flip(join(dir, 'member.json'), 20);
    const { code, out } = await run('check', dir);
    expect(code).toBe(1);
    expect(out).toMatch(/^damage +STATE_CORRUPT: .*member\.json/m);
  });

  test('member file gone, log with entries: -> status 1, STATE_CORRUPT', async () => {
    const dir = copy();
    rmSync(join(dir, 'member.json'));
    const { code, out } = await run('check', dir);
    expect(code).toBe(1);
    expect(out).toMatch(/^damage +STATE_CORRUPT/m);
  });

  test('log gone: -> status 1, WAL_CORRUPT', async () => {
    const dir = copy();
    rmSync(join(dir, 'wal'), { recursive: true });
    const { code, out } = await run('check', dir);
    expect(code).toBe(1);
    expect(out).toMatch(/^damage +WAL_CORRUPT/m);
  });

  test('member file of a later format: -> status 2, FORMAT_UNSUPPORTED', async () => {
    const dir = copy();
    const path = join(dir, 'member.json');
    const body = readFileSync(path, 'latin1')
      .replace('"format": 1', '"format": 2')
      .replace(/,\n {2}"checksum": "[0-9a-f]{8}"\n}\n$/, '');
    const checksum = nodeFileSystem.crc32(Buffer.from(body, 'latin1')).toString(16);
    const end = `,\n  "checksum": "${checksum.padStart(8, '0')}"\n}\n`;
    writeFileSync(path, body + end, 'latin1');
    const { code, errors } = await run('check', dir);
    expect(code).toBe(2);
    expect(errors).toContain('FORMAT_UNSUPPORTED');
  });

  test('a folder without a member: -> status 2', async () => {
    const dir = mkdtempSync(join(folder, 'empty-'));
    copyFileSync(packageFile, join(dir, 'package.json'));
    const { code, errors } = await run('check', dir);
    expect(code).toBe(2);
    expect(errors).toContain('member.json');
    expect(await run('check', join(folder, 'nowhere'))).toMatchObject({ code: 2 });
  });
});
