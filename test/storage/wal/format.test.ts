// Format version 1, byte for byte: a log written by any 0.x release opens in every later one.
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../../src/base/crc32.js';
import { FakeFiles } from './fake-files.js';
import { append, bytes, contentsOf, dir, entries, entry, openLog, segmentPath } from './log.js';

async function smallLog(): Promise<Uint8Array> {
  const fs = new FakeFiles();
  const log = await openLog(fs, { preallocateBytes: 0 });
  await append(log, [entry(1, 1, new Uint8Array()), entry(1, 2, bytes(9))], {
    term: 1,
    vote: 2,
    commit: 1,
  });
  await append(log, entries(2 ** 40, 3, 6, 700));
  await log.close();
  return fs.image().get(segmentPath(1))!;
}

describe('format version 1', () => {
  test('a small log -> these bytes', async () => {
    const file = await smallLog();
    const hex = Buffer.from(file.subarray(512, 512 + 256)).toString('hex');
    expect({ length: file.length, crc: crc32(file).toString(16), hex }).toMatchInlineSnapshot(`
      {
        "crc": "f33c80ef",
        "hex": "576b47508800000001000000000000000000000075718c07a7f991038f54beed00000000060000000000000000000000000000000001000000000000001473a0d3180000000000000002000000000000000000000000000000000000000000000000349f814231000000000000000300000000000000000003000000010000000000000002000000000000000300000000000000000000000000000000000000576b4745107b379e576b47506a0000000200000000000000000000000020d87eaa1a2bea110000000000000001010000000000000001000000000000000149eecbb01a000000000000000101000000000000000200000000000000011f262d34",
        "length": 3048,
      }
    `);
  });

  test('those bytes -> that log', async () => {
    const image = new Map([[segmentPath(1), await smallLog()]]);
    const contents = await contentsOf(image);
    expect(contents.hardState).toEqual({ term: 1, vote: 2, commit: 1 });
    expect(contents.entries.map(({ term, index }) => [term, index])).toEqual([
      [1, 1],
      [1, 2],
      [2 ** 40, 3],
      [2 ** 40, 4],
      [2 ** 40, 5],
    ]);
  });

  test('records of another Raft group -> FORMAT_UNSUPPORTED', async () => {
    const fs = new FakeFiles();
    await (await openLog(fs, { groupId: 7 })).close();
    const opening = openLog(fs);
    await expect(opening).rejects.toMatchObject({ code: 'FORMAT_UNSUPPORTED' });
    const again = await openLog(fs, { groupId: 7 });
    await append(again, entries(1, 1, 3));
    await again.close();
    expect(await fs.list(dir)).toHaveLength(1);
  });
});
