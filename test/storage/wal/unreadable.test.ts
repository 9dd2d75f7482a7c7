// Sectors that the disk cannot read: no damage and no end of the log, so nothing is concluded from them.
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import type { StorageFile } from '../../../src/storage/file-system.js';
import { FakeFiles } from './fake-files.js';
import { allEntries, append, dir, entries, openLog } from './log.js';

/** Files of which one read fails. */
class UnreadableFiles extends FakeFiles {
  /** Reads that still succeed; then one fails. */
  readsLeft = Number.POSITIVE_INFINITY;

  override async open(path: string, mode: 'create' | 'read' | 'read-write'): Promise<StorageFile> {
    const file = await super.open(path, mode);
    return {
      ...file,
      read: (offset, length) => {
        this.readsLeft -= 1;
        if (this.readsLeft !== -1) return file.read(offset, length);
        throw kontikiError('STORAGE_IO', `read ${path}: EIO: i/o error`);
      },
    };
  }
}

const failed = { code: 'STORAGE_IO', message: expect.stringContaining('.wal: EIO') };
const options = { segmentBytes: 4_096 };

async function written(): Promise<UnreadableFiles> {
  const fs = new UnreadableFiles();
  const log = await openLog(fs, options);
  for (let at = 1; at <= 40; at += 1) await append(log, entries(1, at, at + 1, 300));
  await log.close();
  return fs;
}

describe('a read that fails', () => {
  test('at each read of an open -> STORAGE_IO, nothing changed; readable again: all there', async () => {
    const fs = await written();
    const before = fs.image();
    const segments = (await fs.list(dir)).length;
    expect(segments).toBeGreaterThan(2);
    // Each segment is read, and the last group before it is written once more.
    for (let reads = 0; reads <= segments; reads += 1) {
      fs.readsLeft = reads;
      await expect(openLog(fs, options), `read ${reads}`).rejects.toMatchObject(failed);
      expect(fs.image(), `read ${reads}`).toEqual(before);
      expect(fs.openFiles).toBe(0);
    }
    fs.readsLeft = Number.POSITIVE_INFINITY;
    const log = await openLog(fs, options);
    expect(await allEntries(log)).toEqual(entries(1, 1, 41, 300));
    await log.close();
  });

  test('of older entries -> the fetch rejects, appends go on, and so does a later fetch', async () => {
    const fs = await written();
    const log = await openLog(fs, { ...options, cacheBytes: 0, applied: 40 });
    fs.readsLeft = 0;
    await expect(log.fetch({ lo: 3, hi: 9 })).rejects.toMatchObject(failed);
    await append(log, entries(1, 41, 42, 300));
    await log.fetch({ lo: 3, hi: 9 });
    expect(log.entries({ lo: 3, hi: 9 }, 1e9)).toEqual(entries(1, 3, 9, 300));
    await log.close();
  });
});
