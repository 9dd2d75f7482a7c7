// Every flipped bit and every cut of a snapshot file is refused with file and offset, before any byte
// that is not what was written was taken for good.
import { beforeAll, describe, expect, test } from 'vitest';
import { crc32 } from '../../../src/base/crc32.js';
import { isKontikiError, type KontikiErrorOf } from '../../../src/base/errors.js';
import { SnapshotFiles } from '../../../src/storage/snapshot-files/store.js';
import { verifySnapshotFile } from '../../../src/storage/snapshot-files/verify.js';
import type { SnapshotMeta } from '../../../src/storage/snapshot-store.js';
import { ImageFiles } from './image-files.js';

const dir = 'snap';
const path = `${dir}/000000000000002a-0000000000000007.snapshot`;
const older = `${dir}/0000000000000009-0000000000000002.snapshot`;
const chunk = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (seed * 31 + at * 7) & 0xff);
const chunks = [chunk(40, 1), chunk(1, 2), chunk(100, 3)];

let image: Map<string, Uint8Array>;
let whole: Uint8Array;

beforeAll(async () => {
  const fs = new ImageFiles();
  const store = await SnapshotFiles.open({ fs, dir, keep: 2 });
  await put(store, 9, 2, [chunk(10, 9)]);
  await put(store, 42, 7, chunks);
  image = fs.files;
  whole = image.get(path)!;
});

async function put(
  store: SnapshotFiles,
  index: number,
  term: number,
  parts: readonly Uint8Array[],
): Promise<SnapshotMeta> {
  const sink = await store.create({ index, term }, { voters: [1, 2], learners: [3] });
  for (const part of parts) await sink.write(part);
  return sink.commit();
}

const withFile = (bytes: Uint8Array): ImageFiles => new ImageFiles(new Map(image).set(path, bytes));

type Damage = KontikiErrorOf<'SNAPSHOT_CORRUPT'>;

/** Opens the folder and reads the newest snapshot; gives the damage, and what was read before it. */
async function readNewest(fs: ImageFiles): Promise<{ error?: Damage; bytes: Uint8Array }> {
  const store = await SnapshotFiles.open({ fs, dir, keep: 2 });
  const [refused] = store.damaged;
  const read: Uint8Array[] = [];
  let error = refused;
  if (refused === undefined) {
    const meta = (await store.latest())!;
    expect(meta.last).toEqual({ index: 42, term: 7 });
    try {
      for await (const part of store.read(meta)) read.push(part);
    } catch (thrown) {
      if (!isKontikiError(thrown, 'SNAPSHOT_CORRUPT')) throw thrown;
      error = thrown;
    }
  } else {
    expect((await store.latest())?.last.index).toBe(9);
    expect(() =>
      store
        .read({ last: { index: 42, term: 7 }, configuration: {}, size: 141 })
        [Symbol.asyncIterator](),
    ).toThrow(refused);
  }
  expect(fs.openFiles).toBe(0);
  return { bytes: Buffer.concat(read), ...(error !== undefined && { error }) };
}

/** Nothing but whole chunks of the original came before the refusal, which says where. */
async function expectRefused(bytes: Uint8Array, firstBad: number, what: string): Promise<void> {
  const { error, bytes: read } = await readNewest(withFile(bytes));
  if (error === undefined) expect.fail(`${what}: was taken for good`);
  expect(error.file, what).toBe(path);
  expect(error.offset, what).toBeGreaterThanOrEqual(0);
  expect(error.offset, what).toBeLessThanOrEqual(Math.max(firstBad, bytes.length));
  expect(error.message, what).toContain(`byte ${error.offset}`);
  const original = Buffer.concat(chunks).subarray(0, read.length);
  expect(Buffer.compare(read, original), what).toBe(0);
  const verified = verifySnapshotFile(withFile(bytes), path);
  await expect(verified, what).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT', file: path });
}

describe('a damaged snapshot file', () => {
  test('undamaged -> all of it, and what it stands for', async () => {
    const { error, bytes } = await readNewest(withFile(whole));
    expect(error).toBeUndefined();
    expect(Buffer.compare(bytes, Buffer.concat(chunks))).toBe(0);
    expect(await verifySnapshotFile(withFile(whole), path)).toMatchObject({
      last: { index: 42, term: 7 },
      configuration: { voters: [1, 2], learners: [3] },
      size: 141,
    });
  });

  test('each bit flipped -> refused with file and offset', async () => {
    for (let at = 0; at < whole.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const bytes = whole.slice();
        bytes[at]! ^= 1 << bit;
        await expectRefused(bytes, at, `bit ${bit} of byte ${at}`);
      }
    }
  });

  test('cut at each byte, or longer -> refused', async () => {
    for (let size = 0; size < whole.length; size += 1) {
      await expectRefused(whole.subarray(0, size), size, `cut at ${size}`);
    }
    for (const more of [1, 8, 56, 600]) {
      const longer = new Uint8Array(whole.length + more);
      longer.set(whole);
      await expectRefused(longer, whole.length, `${more} zeros behind`);
      longer.set(whole.subarray(-more), whole.length);
      await expectRefused(longer, whole.length, `${more} of its own bytes behind`);
    }
  });

  test('each run of zeros, a sector or less -> refused', async () => {
    for (let at = 0; at < whole.length; at += 16) {
      const bytes = whole.slice();
      bytes.fill(0, at, at + 64);
      await expectRefused(bytes, at, `zeros at ${at}`);
    }
  });

  test('chunks swapped, or one of another file in its place -> refused', async () => {
    const fs = new ImageFiles();
    const store = await SnapshotFiles.open({ fs, dir });
    await put(store, 42, 7, [chunk(40, 1), chunk(1, 2), chunk(100, 4)]);
    const other = fs.files.get(path)!;
    expect(other.length).toBe(whole.length);
    const trailerAt = whole.length - 56;
    const last = trailerAt - 108;
    const mixed = whole.slice();
    mixed.set(other.subarray(last, trailerAt), last);
    // Its checksum is right, as all before it is the same: the hash over everything tells.
    const { error } = await readNewest(withFile(mixed));
    expect(error).toMatchObject({ code: 'SNAPSHOT_CORRUPT', file: path, offset: trailerAt });
    const first = last - 9 - 48;
    const swapped = whole.slice();
    swapped.set(whole.subarray(first + 48, last), first);
    swapped.set(whole.subarray(first, first + 48), first + 9);
    await expectRefused(swapped, first, 'swapped chunks');
  });

  test('the file of another snapshot under this name -> refused', async () => {
    const bytes = image.get(older)!;
    const { error } = await readNewest(withFile(bytes));
    expect(error).toMatchObject({ code: 'SNAPSHOT_CORRUPT', file: path, offset: 0 });
  });

  test('a length of gigabytes -> refused before anything is allocated for it', async () => {
    const bytes = whole.slice();
    const headerBytes = new DataView(whole.buffer, whole.byteOffset).getUint32(8);
    new DataView(bytes.buffer).setUint32(headerBytes, 0xffff_ffff);
    const fs = withFile(bytes);
    const { error } = await readNewest(fs);
    expect(error).toMatchObject({ offset: headerBytes });
    expect(fs.longestRead).toBeLessThanOrEqual(1024 * 1024);
  });

  test('a later format -> refused by name, whatever else is in it', async () => {
    const bytes = whole.slice();
    const view = new DataView(bytes.buffer);
    const crcAt = view.getUint32(8) - 4;
    view.setUint16(4, 2);
    view.setUint32(crcAt, crc32(bytes.subarray(0, crcAt)));
    await expect(SnapshotFiles.open({ fs: withFile(bytes), dir })).rejects.toMatchObject({
      code: 'FORMAT_UNSUPPORTED',
      message: expect.stringContaining('format 2'),
    });
  });

  test('a damaged file -> removed by prune with the next intact one, not before', async () => {
    const bytes = whole.slice();
    bytes[bytes.length - 1]! ^= 1;
    const fs = withFile(bytes);
    const store = await SnapshotFiles.open({ fs, dir });
    await store.prune();
    expect(store.damaged).toHaveLength(1);
    await put(store, 43, 7, chunks);
    await store.prune();
    expect(store.damaged).toEqual([]);
    expect([...fs.files.keys()]).toEqual([`${dir}/000000000000002b-0000000000000007.snapshot`]);
  });

  test('a damaged file that is made again -> good', async () => {
    const bytes = whole.slice();
    bytes[0]! ^= 1;
    const store = await SnapshotFiles.open({ fs: withFile(bytes), dir });
    const meta = await put(store, 42, 7, chunks);
    expect(store.damaged).toEqual([]);
    expect((await store.latest())?.last).toEqual(meta.last);
  });
});
