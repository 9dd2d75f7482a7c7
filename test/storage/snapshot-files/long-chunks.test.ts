// Goal: who writes snapshots chooses how long their chunks are: a long one is read whatever its length, and
// none is held in memory before its length is known to be right.
import { beforeAll, describe, expect, test } from 'vitest';
import { SnapshotFiles } from '../../../src/storage/snapshot-files/store.js';
import { verifySnapshotFile } from '../../../src/storage/snapshot-files/verify.js';
import { ImageFiles } from './image-files.js';

const MiB = 1024 * 1024;
const dir = 'snap';
const path = `${dir}/000000000000002a-0000000000000007.snapshot`;
const options = { dir, chunkBytesMax: 40 * MiB };
/** Behind the header of a snapshot with one voter and no context. */
const firstChunkAt = 48 + 8 + 4;

let files: ImageFiles;
let size: number;
beforeAll(async () => {
  files = new ImageFiles();
  const store = await SnapshotFiles.open({ fs: files, ...options });
  const sink = await store.create({ index: 42, term: 7 }, { voters: [1] });
  const chunks = [3 * MiB + 1, 20 * MiB, 10, MiB, MiB + 1].map((length, nth) => {
    return new Uint8Array(length).fill(nth + 1);
  });
  for (const chunk of chunks) await sink.write(chunk);
  ({ size } = await sink.commit());
});

describe('chunks longer than what is read at a time', () => {
  test('as they were written -> read', async () => {
    expect(await verifySnapshotFile(files, path)).toMatchObject({ size });
    const store = await SnapshotFiles.open({ fs: files, ...options });
    const read: number[] = [];
    for await (const chunk of store.read((await store.latest())!)) {
      expect(chunk.every((byte) => byte === chunk[0])).toBe(true);
      read.push(chunk.length);
    }
    expect(read).toEqual([3 * MiB + 1, 20 * MiB, 10, MiB, MiB + 1]);
  });

  test.each([0, 20, 24])('one with 2^%i bytes more -> refused, in small pieces', async (bit) => {
    const bytes = files.files.get(path)!.slice();
    const view = new DataView(bytes.buffer);
    expect(view.getUint32(firstChunkAt)).toBe(3 * MiB + 1);
    view.setUint32(firstChunkAt, 3 * MiB + 1 + 2 ** bit);
    const fs = new ImageFiles(new Map([[path, bytes]]));
    const damage = { code: 'SNAPSHOT_CORRUPT', file: path, offset: firstChunkAt };
    await expect(verifySnapshotFile(fs, path)).rejects.toMatchObject(damage);
    expect(fs.longestRead).toBe(MiB);
    expect(fs.openFiles).toBe(0);
  });
});
