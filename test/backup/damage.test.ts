// Every byte of a small backup changed, and every cut of it: refused by code, with the file and a place
// in it; nothing of it is taken for the store that it was. And bytes whose checksums are right but which
// hold no keyspace, as somebody who wants to do harm would make them.
import { describe, expect, test } from 'vitest';
import { Backup } from '../../src/backup/backup.js';
import { readBackup, verifyBackup } from '../../src/backup/backup-file.js';
import { crc32 } from '../../src/base/crc32.js';
import { isKontikiError } from '../../src/base/errors.js';
import { limits } from '../../src/base/limits.js';
import { Prng, randomInt } from '../../src/base/prng.js';
import { Sha256 } from '../../src/base/sha256.js';
import {
  encodeStatePart,
  type StatePart,
  statePartLengthMax,
} from '../../src/codec/state-part-codec.js';
import type { StoredRecord } from '../../src/mvcc/backend.js';
import { decodeMeta, encodeMeta, sumsOfMeta } from '../../src/mvcc/meta.js';
import { ImageFiles } from '../storage/snapshot-files/image-files.js';
import { VirtualStores } from '../store/virtual-store.js';
import { bytesOf } from './backed-up.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const path = 'store.backup';

/** What is said of bytes: a code, or the revision that they were taken for. */
async function verdict(bytes: Uint8Array): Promise<string> {
  const fs = new ImageFiles(new Map([[path, bytes]]));
  try {
    return `revision ${(await verifyBackup({ fs, path })).info.revision}`;
  } catch (error) {
    if (isKontikiError(error, 'SNAPSHOT_CORRUPT')) {
      expect(error.file).toBe(path);
      expect(error.offset).toBeLessThanOrEqual(bytes.length);
    } else if (!isKontikiError(error)) throw error;
    return error.code;
  } finally {
    expect(fs.openFiles).toBe(0);
  }
}

async function small(value = '2'): Promise<Uint8Array> {
  const stores = await VirtualStores.opened(1);
  const store = stores.store(1);
  await stores.settle(store.put('a', '1'));
  await stores.settle(store.put('a', value));
  const bytes = await stores.settle(bytesOf(store.backup()));
  await stores.close();
  return bytes;
}

/** A backup of any parts, with every checksum right. */
function crafted(parts: readonly (StatePart | Uint8Array)[], info = {}): Promise<Uint8Array> {
  const chunks = parts.map((part) => ('kind' in part ? encodeStatePart(part).slice() : part));
  const open = async () => ({
    info: { clusterId: 7, revision: 1, appliedIndex: 3, term: 1, ...info },
    next: async () => chunks.shift(),
    close: async () => undefined,
  });
  const paced = <T>(make: () => Promise<T>) => make();
  return bytesOf(new Backup({ crc32, sha256: () => new Sha256(), open, paced }));
}

describe('a damaged backup', () => {
  test('every byte changed, every cut -> refused', async () => {
    const good = await small();
    expect(await verdict(good)).toBe('revision 3');
    const random = new Prng(7);
    for (let at = 0; at < good.length; at += 1) {
      expect(await verdict(good.subarray(0, at)), `cut at ${at}`).toBe('SNAPSHOT_CORRUPT');
      for (let time = 0; time < Math.max(1, Math.round(depth)); time += 1) {
        const changed = Uint8Array.from(good);
        changed[at]! ^= 1 + randomInt(random, 255);
        expect(await verdict(changed), `byte ${at} is ${changed[at]}`).toBe('SNAPSHOT_CORRUPT');
      }
    }
  });

  test('parts of two backups together -> refused', async () => {
    const [one, other] = [await small(), await small('3')];
    expect(Buffer.from(one).equals(other)).toBe(false);
    for (let at = 1; at < one.length; at += 1) {
      const mixed = Buffer.concat([one.subarray(0, at), other.subarray(at)]);
      if (mixed.equals(one) || mixed.equals(other)) continue;
      expect(await verdict(mixed), `at ${at}`).toBe('SNAPSHOT_CORRUPT');
    }
  });
});

describe('a backup with a chunk of another length', () => {
  test.each([20, 22, 24, 25, 26])(
    '2^%i bytes more -> refused, and not all of it is read at once',
    async (bit) => {
      const record = (nth: number): StatePart => {
        return { kind: 'records', records: [[`c${nth}`, new Uint8Array(1_400_000)]] };
      };
      const parts = Array.from({ length: 60 }, (_, nth) => record(nth));
      const begin: StatePart = { kind: 'begin', appliedIndex: 3 };
      const bytes = await crafted([begin, ...parts, { kind: 'end', count: 60 }]);
      // The length of the first chunk, behind the header.
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      view.setUint32(52, view.getUint32(52) + 2 ** bit);
      const fs = new ImageFiles(new Map([[path, bytes]]));
      await expect(verifyBackup({ fs, path })).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
      expect(fs.longestRead).toBeLessThanOrEqual(statePartLengthMax);
    },
  );

  test('the longest part there can be -> taken', async () => {
    // What an array, its kind, its key and a length of five bytes take.
    const room = limits.statePartBytesMax - 12;
    const longest: StatePart = { kind: 'records', records: [['c', new Uint8Array(room)]] };
    expect(encodeStatePart(longest).length).toBeGreaterThan(statePartLengthMax - 8);
    const bytes = await crafted([
      { kind: 'begin', appliedIndex: 3 },
      longest,
      { kind: 'end', count: 1 },
    ]);
    const fs = new ImageFiles(new Map([[path, bytes]]));
    let size = 0;
    await readBackup({ fs, path }, (some) => {
      for (const [, each] of some) size += each.length;
    });
    expect(size).toBe(room);
  });
});

describe('a backup made to do harm', () => {
  const begin: StatePart = { kind: 'begin', appliedIndex: 3 };
  const end = (count: number): StatePart => ({ kind: 'end', count });
  const records = (...keys: string[]): StatePart => ({
    kind: 'records',
    records: keys.map((key) => [key, new Uint8Array(9)]),
  });

  test('an empty store -> taken', async () => {
    expect(await verdict(await crafted([begin, end(0)]))).toBe('revision 1');
  });

  test.each<[string, Parameters<typeof crafted>]>([
    ['no part', [[]]],
    ['no end', [[begin]]],
    ['no begin', [[end(0)]]],
    ['two ends', [[begin, end(0), end(0)]]],
    ['records that were not counted', [[begin, records('m'), end(0)]]],
    ['of another entry', [[{ kind: 'begin', appliedIndex: 4 }, end(0)]]],
    ['of another revision', [[begin, end(0)], { revision: 2 }]],
    ['a record that is none', [[begin, records('cx'), end(1)]]],
    ['a path for a key', [[begin, records('../../member.json'), end(1)]]],
    ['records of the backend itself', [[begin, records('i'), end(1)]]],
    ['a part of 16 GiB', [[begin, Uint8Array.of(255, 255, 255, 255)]]],
    ['no part at all', [[Uint8Array.of(3, 0, 0, 0, 1, 2, 3)]]],
  ])('%s -> refused', async (_, [parts, info]) => {
    expect(await verdict(await crafted(parts, info))).toBe('SNAPSHOT_CORRUPT');
  });

  test('a record twice, with sums that fit -> refused', async () => {
    const fs = new ImageFiles(new Map([[path, await small()]]));
    const good: StoredRecord[] = [];
    const { info } = await readBackup({ fs, path }, (some) => {
      for (const [key, bytes] of some) good.push([key, bytes.slice()]);
    });
    const current = good.filter(([key]) => key.startsWith('c'));
    const twice = good.flatMap(([key, bytes]): StoredRecord[] => {
      if (key.startsWith('c'))
        return [
          [key, bytes],
          [key, bytes],
        ];
      if (!key.startsWith('m')) return [[key, bytes]];
      const sums = sumsOfMeta(bytes);
      for (const [each, its] of current) sums.addRecord(each, its);
      return [[key, encodeMeta(decodeMeta(bytes), sums)]];
    });
    expect(twice.length).toBeGreaterThan(good.length);
    const { appliedIndex } = info;
    const parts: StatePart[] = twice.map((record) => ({ kind: 'records', records: [record] }));
    const all = [{ kind: 'begin', appliedIndex } as const, ...parts, end(twice.length)];
    expect(await verdict(await crafted(all, info))).toBe('SNAPSHOT_CORRUPT');
  });

  test('numbers beyond what a number holds -> refused', async () => {
    const bytes = Buffer.from(await crafted([begin, end(0)]));
    bytes.fill(255, 16, 24);
    bytes.writeUInt32BE(crc32(bytes.subarray(0, 48)), 48);
    expect(await verdict(bytes)).toBe('SNAPSHOT_CORRUPT');
  });
});
