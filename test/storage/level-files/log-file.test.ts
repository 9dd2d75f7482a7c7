// Log files of LevelDB: what is written by the rules is read again, and what is not is damage.
import { describe, expect, test } from 'vitest';
import { Prng, randomInt } from '../../../src/base/prng.js';
import { readLogFile } from '../../../src/storage/level-files/log-file.js';
import { levelLog } from './write-log-file.js';

const seed = 5;
const blockBytes = 32 * 1024;

function draw(random: Prng, count: number): Uint8Array[] {
  return Array.from({ length: count }, () => {
    const length = randomInt(random, 4) === 0 ? randomInt(random, 100_000) : randomInt(random, 400);
    return new Uint8Array(length).map(() => 1 + randomInt(random, 255));
  });
}

const texts = (records: readonly Uint8Array[]) =>
  records.map((bytes) => Buffer.from(bytes).toString('latin1'));

describe('log files', () => {
  test(`records of all lengths, seed ${seed} -> as they were written`, () => {
    const random = new Prng(seed);
    for (let run = 0; run < 10; run += 1) {
      const records = draw(random, 12);
      const { cutAt, damage, records: found } = readLogFile(levelLog(records));
      expect(texts(found.map(({ bytes }) => bytes))).toEqual(texts(records));
      expect({ cutAt, damage }).toEqual({ cutAt: undefined, damage: [] });
    }
  });

  test.each([-8, -7, -6, -1, 0])('a record that leaves a block %i bytes -> read', (left) => {
    const records = [new Uint8Array(blockBytes - 7 + left).fill(3), Uint8Array.of(1, 2, 3)];
    const found = readLogFile(levelLog(records)).records.map(({ bytes }) => bytes);
    expect(texts(found)).toEqual(texts(records));
  });

  test('cut anywhere -> the records before, no damage, where it is cut', () => {
    const records = draw(new Prng(seed), 6).map((one) => one.subarray(0, 50));
    const bytes = levelLog(records);
    for (let end = 0; end < bytes.length; end += 1) {
      const { cutAt, damage, records: found } = readLogFile(bytes.subarray(0, end));
      const whole = found.reduce((sum, one) => sum + 7 + one.bytes.length, 0);
      expect({ damage, cutAt }).toEqual({ damage: [], cutAt: whole === end ? undefined : whole });
    }
  });

  test('a bit flipped in a full block -> damage at its record, the next block is read on', () => {
    const records = Array.from({ length: 80 }, (_, nth) => new Uint8Array(1_000).fill(nth + 1));
    const good = levelLog(records);
    for (let at = 0; at < blockBytes; at += 211) {
      const bytes = Uint8Array.from(good);
      bytes[at]! ^= 4;
      const { damage, records: found } = readLogFile(bytes);
      expect(damage[0]?.offset).toBe(at - (at % 1_007));
      expect(texts([found.at(-1)!.bytes])).toEqual(texts(records.slice(-1)));
      expect(found.length).toBeLessThan(records.length);
    }
  });

  test('fragments out of their order -> damage, zeros -> blank', () => {
    const first = Uint8Array.from(
      levelLog([new Uint8Array(40_000).fill(1)]).subarray(0, blockBytes),
    );
    const last = levelLog([new Uint8Array(40_000).fill(1)]).subarray(blockBytes);
    const whole = levelLog([Uint8Array.of(9)]);
    const what = (bytes: Uint8Array) =>
      readLogFile(bytes).damage.map((one) => [one.offset, one.what]);
    expect(what(last)).toEqual([[0, 'a record has no beginning']]);
    expect(what(Buffer.concat([first, whole]))).toEqual([[0, 'a record has no end']]);
    const blank = readLogFile(Buffer.concat([whole, Buffer.alloc(100)])).damage;
    expect(blank).toMatchObject([{ offset: whole.length, isBlank: true }]);
  });
});
