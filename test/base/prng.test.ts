import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Prng, type Random, randomId, randomInt } from '../../src/base/prng.js';

/** A source that gives these numbers. */
function scripted(...numbers: readonly number[]): Random {
  let at = 0;
  return {
    u32() {
      const value = numbers[at];
      if (value === undefined) throw new Error('the script is over');
      at += 1;
      return value;
    },
  };
}

const mask = 0xffffffffn;
type State = [bigint, bigint, bigint, bigint];

/** The published algorithm in exact integers. */
function slowXoshiro(state: State): Random {
  const rotate = (x: bigint, by: bigint) => ((x << by) | (x >> (32n - by))) & mask;
  return {
    u32() {
      const [a, b, c, d] = state;
      const result = (rotate((b * 5n) & mask, 7n) * 9n) & mask;
      const c1 = c ^ a;
      const d1 = d ^ b;
      state = [a ^ d1, b ^ c1, (c1 ^ (b << 9n)) & mask, rotate(d1, 11n)];
      return Number(result);
    },
  };
}

function slowSplitmix(seed: number): State {
  let state = BigInt.asUintN(32, BigInt(seed));
  const next = () => {
    state = (state + 0x9e3779b9n) & mask;
    let z = ((state ^ (state >> 16n)) * 0x21f0aaadn) & mask;
    z = ((z ^ (z >> 15n)) * 0x735a2d97n) & mask;
    return z ^ (z >> 15n);
  };
  return [next(), next(), next(), next()];
}

const take = (random: Random, count: number) => Array.from({ length: count }, () => random.u32());

describe('prng', () => {
  test('the same seed -> the same numbers; another -> others', () => {
    expect(take(new Prng(7), 50)).toEqual(take(new Prng(7), 50));
    expect(take(new Prng(7), 50)).not.toEqual(take(new Prng(8), 50));
    expect(take(new Prng(0), 4).some((value) => value !== 0)).toBe(true);
  });

  test('golden numbers -> recorded seeds replay on every release', () => {
    expect(take(new Prng(1), 4)).toEqual([393288148, 2174103013, 3814759091, 2092745082]);
  });

  test('any seed -> xoshiro128** as its authors wrote it', () => {
    expect(take(slowXoshiro([1n, 2n, 3n, 4n]), 4)).toEqual([11520, 0, 5927040, 70819200]);
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(take(new Prng(seed), 20)).toEqual(take(slowXoshiro(slowSplitmix(seed)), 20));
      }),
      { numRuns: 50 },
    );
  });

  test('only the low 32 bits of a seed count', () => {
    expect(take(new Prng(2 ** 32 + 5), 5)).toEqual(take(new Prng(5), 5));
  });

  test('numbers -> unsigned 32-bit integers, each bit set about half of the time', () => {
    const numbers = take(new Prng(3), 4_000);
    const ones = new Array<number>(32).fill(0);
    for (const value of numbers) {
      expect(Number.isInteger(value) && value >= 0 && value < 2 ** 32).toBe(true);
      for (let bit = 0; bit < 32; bit += 1) ones[bit]! += (value >>> bit) & 1;
    }
    // Six standard deviations of a fair coin thrown 4,000 times.
    for (const count of ones) expect(Math.abs(count - 2_000)).toBeLessThan(190);
  });
});

describe('randomInt', () => {
  test('any bound -> an integer in [0, bound)', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, bound) => {
        const value = randomInt(new Prng(seed), bound);
        expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
      }),
    );
  });

  test('a small bound -> every value, about equally often', () => {
    const counts = new Array<number>(7).fill(0);
    const random = new Prng(11);
    for (let i = 0; i < 7_000; i += 1) counts[randomInt(random, 7)]! += 1;
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(180);
  });

  test('values of the last, incomplete run -> drawn again, so that small numbers are not favoured', () => {
    const bound = 3 * 2 ** 30;
    expect(randomInt(scripted(bound, 2 ** 32 - 1, 5), bound)).toBe(5);
    expect(randomInt(scripted(bound - 1), bound)).toBe(bound - 1);
    expect(randomInt(scripted(2 ** 32 - 1), 2 ** 32)).toBe(2 ** 32 - 1);
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 32 + 1])('bound %d -> asserts', (bound) => {
    expect(() => randomInt(new Prng(1), bound)).toThrow(
      expect.objectContaining({ code: 'ASSERTION' }),
    );
  });
});

describe('randomId', () => {
  test('extremes of the source -> 1 to 2^53 - 1', () => {
    expect(randomId(scripted(0, 1))).toBe(1);
    expect(randomId(scripted(2 ** 32 - 1, 2 ** 32 - 1))).toBe(2 ** 53 - 1);
    expect(randomId(scripted(0, 0, 0, 9))).toBe(9);
  });

  test('many -> safe integers, all different', () => {
    const random = new Prng(5);
    const ids = Array.from({ length: 2_000 }, () => randomId(random));
    expect(new Set(ids).size).toBe(2_000);
    for (const id of ids) expect(Number.isSafeInteger(id) && id >= 1).toBe(true);
  });
});
