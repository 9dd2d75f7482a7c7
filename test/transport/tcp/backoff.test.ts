import { expect, test } from 'vitest';
import { Prng } from '../../../src/base/prng.js';
import { Backoff } from '../../../src/transport/tcp/backoff.js';

test('backoff: attempts that fail -> steps double up to the maximum, jittered below', () => {
  const backoff = new Backoff({ minMs: 20, maxMs: 1000 }, new Prng(1));
  for (const step of [20, 40, 80, 160, 320, 640, 1000, 1000]) {
    const delay = backoff.nextMs();
    expect(delay).toBeGreaterThanOrEqual(step / 2);
    expect(delay).toBeLessThan(step);
  }
});

test('backoff: reset -> starts from the smallest step', () => {
  const backoff = new Backoff({ minMs: 20, maxMs: 1000 }, new Prng(1));
  for (let n = 0; n < 9; n += 1) backoff.nextMs();
  backoff.reset();
  expect(backoff.nextMs()).toBeLessThan(20);
});

test('backoff: two links -> different delays', () => {
  const delays = [1, 2].map((seed) =>
    new Backoff({ minMs: 20, maxMs: 20 }, new Prng(seed)).nextMs(),
  );
  expect(delays[0]).not.toBe(delays[1]);
});
