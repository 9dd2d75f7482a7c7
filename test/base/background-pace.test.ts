// Goal: work that can wait takes its share of the time and no more while others are served, all of it
// otherwise, and is finished under any load.
import { describe, expect, test } from 'vitest';
import { BackgroundPace } from '../../src/base/background-pace.js';
import { Prng, randomInt } from '../../src/base/prng.js';

const minuteMs = 60_000;

class World {
  nowMs = 5_000;
  served = 7;
  readonly pace: BackgroundPace;

  constructor(restsPerWork = 9) {
    const clock = { monotonicMs: () => this.nowMs, wallMs: () => 0 };
    this.pace = new BackgroundPace({ clock, served: () => this.served, restsPerWork });
  }

  /** @returns the rest after a piece of so many milliseconds */
  piece(ms: number, serves = 1): number {
    this.pace.begin();
    this.nowMs += ms;
    this.served += serves;
    return this.pace.restMs();
  }
}

describe('a rest', () => {
  test('others are served -> so many times the piece, whatever the piece took', () => {
    const world = new World(9);
    expect([4, 0, 0.5, 20].map((ms) => world.piece(ms))).toEqual([36, 0, 4.5, 180].map(near));
  });

  test('nobody is served since the last rest -> none; served in the rest alone -> one', () => {
    const world = new World(9);
    expect(world.piece(4, 0)).toBe(0);
    world.served += 1;
    expect(world.piece(4, 0)).toBeGreaterThan(35);
    expect(world.piece(4, 0)).toBe(0);
  });

  test('the state was replaced by another, the number went back -> others were served', () => {
    expect(new World().piece(4, -7)).toBeGreaterThan(35);
  });

  test('the machine stood still -> a second at most', () => {
    expect(new World().piece(30_000)).toBe(1_000);
  });

  test.each([
    [1, 0.9],
    [5, 0.5],
    [9, 0.1],
    [10, 0],
    [600, 0],
  ])('after %i minutes of work -> %f of the rest', (minutes, share) => {
    const world = new World(9);
    world.piece(0);
    world.nowMs += minutes * minuteMs - 4;
    expect(world.piece(4)).toBeCloseTo(36 * share, 9);
  });

  test('other work, after the end of what took long -> as long as at first', () => {
    const world = new World(9);
    world.piece(0);
    world.nowMs += 10 * minuteMs;
    expect(world.piece(4)).toBe(0);
    world.pace.end();
    expect(world.piece(4)).toEqual(near(36));
  });
});

describe('under load without a break', () => {
  const seeds = Array.from({ length: 20 }, (_, nth) => 100 + nth);
  test.each(seeds)('seed %i: a share at first, all of it in the end', (seed) => {
    const random = new Prng(seed);
    const restsPerWork = 1 + randomInt(random, 12);
    const world = new World(restsPerWork);
    const from = world.nowMs;
    let worked = 0;
    let rested = 0;
    let restedLate = 0;
    while (world.nowMs - from < 20 * minuteMs) {
      const ms = 0.5 + randomInt(random, 40);
      const isEarly = world.nowMs - from < minuteMs;
      const isLate = world.nowMs - from > 10 * minuteMs;
      const rest = world.piece(ms);
      world.nowMs += rest;
      if (isEarly) {
        worked += ms;
        rested += rest;
      } else if (isLate) restedLate += rest;
    }
    expect(worked / (worked + rested)).toBeGreaterThan(1 / (1 + restsPerWork));
    expect(worked / (worked + rested)).toBeLessThan(1 / (1 + 0.9 * restsPerWork));
    expect(restedLate).toBe(0);
  });
});

/** The share of patience that the first milliseconds used up. */
function near(ms: number) {
  return expect.closeTo(ms, 1);
}
