import { expect, test } from 'vitest';
import { SystemRandom } from '../../src/base/system-random.js';

const drawn = (random: SystemRandom, count: number) =>
  Array.from({ length: count }, () => random.u32());

test('a source -> all of each block in order, then the next one', () => {
  let filled = 0;
  const random = new SystemRandom({
    getRandomValues: (block) => {
      for (let at = 0; at < block.length; at += 1) block[at] = filled + at;
      filled += block.length;
    },
  });
  expect(drawn(random, 1_000)).toEqual(Array.from({ length: 1_000 }, (_, at) => at));
});

test('none given -> that of the platform: unsigned 32-bit integers, hardly any of them twice', () => {
  const numbers = drawn(new SystemRandom(), 1_000);
  expect(numbers.every((each) => each === each >>> 0)).toBe(true);
  expect(new Set(numbers).size).toBeGreaterThan(990);
});
