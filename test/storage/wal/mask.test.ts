// The mask: a function of place alone, its own inverse, and never nothing.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyMask } from '../../../src/storage/wal/mask.js';
import { loneByte } from '../../../src/storage/wal/sectors.js';
import { FakeFiles } from './fake-files.js';
import { append, bytes, entry, openLog, segmentPath, tailOf } from './log.js';

const sector = 512;

const maskOf = (segment: number, offset: number, length: number): Uint8Array => {
  const mask = new Uint8Array(length);
  applyMask(mask, 0, length, { segment, offset });
  return mask;
};

describe('the mask', () => {
  test('any buffer, any alignment, any part -> the mask of the place and nothing else', () => {
    const property = fc.property(
      fc.nat(2_000),
      fc.nat(2_000),
      fc.nat(7),
      fc.integer({ min: 1, max: 1_000 }),
      (offset, length, shift, segment) => {
        const buffer = new Uint8Array(length + shift).subarray(shift);
        buffer.set(bytes(length, 3));
        const [from, to] = [Math.floor(length / 3), length - Math.floor(length / 5)];
        applyMask(buffer, from, to, { segment, offset });
        const whole = maskOf(segment, 0, offset + length).subarray(offset);
        const expected = bytes(length, 3).map((byte, at) =>
          at >= from && at < to ? byte ^ (whole[at] as number) : byte,
        );
        expect(Buffer.compare(buffer, expected)).toBe(0);
        applyMask(buffer, from, to, { segment, offset });
        expect(Buffer.compare(buffer, bytes(length, 3))).toBe(0);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  test('each sector -> its first bytes masked, no two alike, in one segment or two', () => {
    const masks = [0, 1, 2, 100, 131_071].flatMap((at) =>
      [1, 2, 3, 1_000].map((segment) => maskOf(segment, at * sector, sector)),
    );
    const isSet = (byte: number): boolean => byte !== 0;
    for (const mask of masks) {
      expect(mask.subarray(0, 32).filter(isSet).length).toBeGreaterThan(24);
      expect(mask.subarray(32).some(isSet)).toBe(false);
    }
    for (const [at, one] of masks.entries()) {
      for (const other of masks.slice(at + 1)) {
        const differing = one.subarray(0, 32).filter((byte, i) => byte !== other[i]);
        expect(differing.length).toBeGreaterThan(20);
      }
    }
  });
});

describe('a written group', () => {
  test.each([0, 1, 100, 449, 450, 451, 4_000, 20_000])(
    '%i zeros as data -> no sector that is zero, or zero but for a byte',
    async (length) => {
      const fs = new FakeFiles();
      const log = await openLog(fs);
      for (let index = 1; index < 20; index += 1) {
        await append(log, [entry(1, index, new Uint8Array(length))]);
      }
      await log.close();
      const { end } = await tailOf(fs.image());
      const file = fs.image().get(segmentPath(1))!;
      expect(loneByte(file, sector, end)).toBeUndefined();
      for (let at = sector; at < end; at += sector) {
        expect(file.subarray(at, Math.min(at + sector, end)).some((byte) => byte !== 0)).toBe(true);
      }
    },
  );

  test('a log’s own file as data -> no different', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs);
    await append(log, [entry(1, 1, new Uint8Array(3_000))]);
    const { end } = await tailOf(fs.image());
    const copy = fs.image().get(segmentPath(1))!.slice(0, end);
    await append(log, [entry(1, 2, copy)]);
    await log.close();
    const next = await tailOf(fs.image());
    const file = fs.image().get(segmentPath(1))!;
    for (let at = sector; at + sector <= next.end; at += sector) {
      const written = file.subarray(at, at + sector).filter((byte) => byte !== 0).length;
      expect(written).toBeGreaterThan(16);
    }
  });
});
