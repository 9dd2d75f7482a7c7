// Goal: every duration is counted once, in the bucket that its bounds say.
import { expect, test } from 'vitest';
import { Histogram } from '../../src/base/histogram.js';
import { Prng, randomInt } from '../../src/base/prng.js';

test('nothing observed -> no buckets', () => {
  expect(new Histogram().snapshot()).toEqual({ count: 0, sumMs: 0, buckets: [] });
});

test.each([
  [0, 0.001],
  [0.0005, 0.001],
  [0.001, 0.002],
  [0.5, 0.512],
  [1, 1.024],
  [1.024, 2.048],
  [67_000, 67_108.864],
  [67_109, Infinity],
  [1e12, Infinity],
])('%f ms -> counted below %f ms', (ms, belowMs) => {
  const histogram = new Histogram();
  histogram.observe(ms);
  expect(histogram.snapshot()).toEqual({ count: 1, sumMs: ms, buckets: [{ belowMs, count: 1 }] });
});

test('random durations -> the same as sorting them by the bounds', () => {
  const random = new Prng(7);
  const histogram = new Histogram();
  const all = Array.from(
    { length: 2_000 },
    () => 2 ** randomInt(random, 28) * random.u32() * 1e-12,
  );
  for (const ms of all) histogram.observe(ms);
  const { buckets, count, sumMs } = histogram.snapshot();
  expect(count).toBe(all.length);
  expect(sumMs).toBe(all.reduce((sum, ms) => sum + ms, 0));
  let from = 0;
  for (const bucket of buckets) {
    const below = all.filter((ms) => ms < bucket.belowMs && ms >= from);
    expect(below).toHaveLength(bucket.count);
    from = bucket.belowMs;
  }
});
