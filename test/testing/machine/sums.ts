/** Sums by key, as the model of machines that keep them: each answers the new sum. */
import type { Random } from '../../../src/base/prng.js';
import { randomInt } from '../../../src/base/prng.js';

export type Add = { readonly key: string; readonly by: number };
export type SumsByKey = Readonly<Record<string, number>>;

export const sums = {
  draw: (random: Random, keys: number): Add => ({
    key: `k${randomInt(random, keys)}`,
    by: randomInt(random, 10),
  }),
  model: {
    initial: (): SumsByKey => ({}),
    execute(before: SumsByKey, { key, by }: Add) {
      const answer = (before[key] ?? 0) + by;
      return { state: { ...before, [key]: answer }, answer };
    },
  },
};
