// A folder that must not be written: refused, and nothing is changed.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import { nodeFileSystem as fs } from '../../../src/storage/node-fs/index.js';
import { openWal, readWal } from '../../../src/storage/wal/index.js';
import { unprivileged } from '../unprivileged.js';
import { FakeFiles } from './fake-files.js';
import { append, contentsOf, entries, openLog } from './log.js';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(`${tmpdir()}/kontiki-read-only-`);
});
afterEach(() => {
  chmodSync(dir, 0o700);
  rmSync(dir, { recursive: true, force: true });
});

describe('a read-only folder', () => {
  test('that has a log -> STORAGE_IO at open, reading works', async () => {
    const files = new FakeFiles();
    const log = await openLog(files);
    await append(log, entries(1, 1, 9));
    await log.close();
    const before = files.image();
    const readOnly = new FakeFiles(before);
    readOnly.before = ({ kind }) => {
      throw kontikiError('STORAGE_IO', `EROFS: read-only file system, ${kind}`);
    };
    await expect(openLog(readOnly)).rejects.toMatchObject({ code: 'STORAGE_IO' });
    expect(readOnly.image()).toEqual(before);
    expect(readOnly.openFiles).toBe(0);
    expect((await contentsOf(readOnly.image())).entries).toEqual(entries(1, 1, 9));
  });

  test('on a real disk -> STORAGE_IO, and the log is as it was', async () => {
    const log = await openWal({ fs, dir, voters: [1] });
    await append(log, entries(1, 1, 9));
    await log.close();
    const [name = ''] = readdirSync(dir);
    const path = `${dir}/${name}`;
    const before = readFileSync(path);
    chmodSync(path, 0o444);
    chmodSync(dir, 0o555);
    await unprivileged(async () => {
      const opening = openWal({ fs, dir, voters: [1] });
      const refusal = { code: 'STORAGE_IO', cause: { code: 'EACCES' } };
      await expect(opening).rejects.toMatchObject(refusal);
      expect((await readWal({ fs, dir })).history.terms.last).toBe(8);
    });
    expect(Buffer.compare(readFileSync(path), before)).toBe(0);
    expect(readdirSync(dir)).toEqual([name]);
  });

  test('where a folder would have to be made -> STORAGE_IO', async () => {
    const log = await openWal({ fs, dir: `${dir}/log`, voters: [1] });
    await log.close();
    const [name = ''] = readdirSync(`${dir}/log`);
    // No folder is made below a file, whoever asks.
    const opening = openWal({ fs, dir: `${dir}/log/${name}/deeper`, voters: [1] });
    await expect(opening).rejects.toMatchObject({ code: 'STORAGE_IO', cause: { code: 'ENOTDIR' } });
  });
});
