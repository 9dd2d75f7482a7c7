import { expect, test } from 'vitest';
import { Prng, randomInt } from '../../../src/base/prng.js';
import { BareQueue } from '../../../src/testing/bare/bare-queue.js';

// The heap against a sorted list: same order, whatever is pushed between.
test('queue: pushes and takes at random -> the order of (time, scheduling)', () => {
  const seed = 11;
  const random = new Prng(seed);
  const queue = new BareQueue();
  const twin: { readonly timeUs: number; readonly payload: number }[] = [];
  for (let payload = 0; payload < 20_000; payload += 1) {
    const timeUs = queue.timeUs + randomInt(random, 50);
    queue.push(timeUs, payload % 13, payload % 7, payload, payload);
    twin.push({ timeUs, payload });
    if (randomInt(random, 100) >= (payload < 10_000 ? 40 : 70)) continue;
    const expected = twin.reduce((least, each) => (each.timeUs < least.timeUs ? each : least));
    twin.splice(twin.indexOf(expected), 1);
    expect(queue.nextUs, `seed ${seed}`).toBe(expected.timeUs);
    expect(queue.next()).toBe(true);
    const { timeUs: atUs, kind, at, life } = queue;
    const got = { timeUs: atUs, payload: queue.payload };
    expect(got, `seed ${seed}`).toEqual(expected);
    expect([kind, at, life]).toEqual([
      expected.payload % 13,
      expected.payload % 7,
      expected.payload,
    ]);
  }
  expect(queue.size).toBe(twin.length);
});

test('queue: empty -> nothing is next', () => {
  const queue = new BareQueue();
  expect(queue.next()).toBe(false);
  expect(queue.nextUs).toBe(Infinity);
});
