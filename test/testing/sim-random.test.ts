// Keyed randomness: equal keys give equal numbers, nothing else has a say.
import { describe, expect, test } from 'vitest';
import { SimPath } from '../../src/testing/sim-path.js';
import { type RandomKey, SimRandom } from '../../src/testing/sim-random.js';

const draw = (key: RandomKey, count = 4): number[] => {
  const random = new SimRandom(key);
  return Array.from({ length: count }, () => random.u32());
};

describe('keyed randomness', () => {
  test('equal keys -> equal numbers, whatever others draw', () => {
    const key = { seed: 1, stream: 'a', entity: ['n1', 2] };
    const random = new SimRandom(key);
    const other = new SimRandom({ ...key, stream: 'b' });
    const mixed = Array.from({ length: 4 }, () => {
      other.u32();
      return random.u32();
    });
    expect(mixed).toEqual(draw(key));
  });

  test('any part of the key changed -> other numbers', () => {
    const key = { seed: 1, stream: 'a', entity: ['n1', 2] };
    const keys: RandomKey[] = [
      key,
      { ...key, seed: 2 },
      { ...key, seed: 1 + 2 ** 32 },
      { ...key, stream: 'b' },
      { ...key, entity: ['n2', 2] },
      { ...key, entity: ['n1', 3] },
      { ...key, entity: ['n1'] },
    ];
    expect(new Set(keys.map((it) => draw(it).join())).size).toBe(keys.length);
  });

  test('many draws -> every bit set about half the time, neighbours unrelated', () => {
    const numbers = draw({ seed: 5, stream: 'bits', entity: [] }, 20_000);
    for (let bit = 0; bit < 32; bit += 1) {
      const set = numbers.filter((value) => (value >>> bit) & 1).length;
      const flips = numbers.filter(
        (value, at) => at > 0 && ((value ^ numbers[at - 1]!) >>> bit) & 1,
      );
      expect(Math.abs(set - 10_000)).toBeLessThan(400);
      expect(Math.abs(flips.length - 10_000)).toBeLessThan(400);
    }
  });
});

describe('path', () => {
  const ends = { from: 'n1', to: 'n2' };

  test('delays -> integers, never below the minimum, mean and spread exponential', () => {
    const path = new SimPath(3, ends);
    path.configure({ delayMinUs: 1_000, delayMeanUs: 11_000 });
    const delays = Array.from({ length: 20_000 }, () => path.delayUs());
    expect(delays.every((delay) => Number.isInteger(delay) && delay >= 1_000)).toBe(true);
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    expect(Math.abs(mean - 11_000)).toBeLessThan(300);
    // Of an exponential distribution 1 - 1/e lies below the mean.
    const below = delays.filter((delay) => delay < 11_000).length / delays.length;
    expect(Math.abs(below - 0.632)).toBeLessThan(0.02);
  });

  test('rates -> about that share; 0 never, 1 always', () => {
    for (const rate of [0, 0.1, 0.5, 1]) {
      const path = new SimPath(4, ends);
      path.configure({ dropRate: rate, duplicateRate: rate });
      let [drops, duplicates] = [0, 0];
      for (let count = 0; count < 4_000; count += 1) {
        if (path.drops()) drops += 1;
        if (path.duplicates()) duplicates += 1;
      }
      const slack = rate === 0 || rate === 1 ? 0 : 120;
      expect(Math.abs(drops - 4_000 * rate)).toBeLessThanOrEqual(slack);
      expect(Math.abs(duplicates - 4_000 * rate)).toBeLessThanOrEqual(slack);
    }
  });
});
