// The clock here moves only when a test moves it, so a stall is a jump between two timers.
import { describe, expect, test } from 'vitest';
import type { Clock, Timer, Timers } from '../../src/base/clock.js';
import { Ticker } from '../../src/node/ticker.js';
import { VirtualTime } from './virtual-time.js';

/** One timer at most; fires as late as the test likes. */
class StalledLoop implements Clock, Timers {
  nowMs = 0;
  #timer: { readonly atMs: number; readonly callback: () => void } | undefined;

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs;
  }

  get dueMs(): number | undefined {
    return this.#timer?.atMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.nowMs + delayMs, callback };
    this.#timer = timer;
    return {
      cancel: () => {
        if (this.#timer === timer) this.#timer = undefined;
      },
    };
  }

  soon(callback: () => void): Timer {
    return this.after(0, callback);
  }

  /** The loop comes back at this time and runs the timer that is due. */
  wakeAt(nowMs: number): void {
    this.nowMs = nowMs;
    const timer = this.#timer;
    if (timer === undefined || timer.atMs > nowMs) return;
    this.#timer = undefined;
    timer.callback();
  }
}

function ticking(loop: StalledLoop, onTick?: () => void) {
  const ticks: number[] = [];
  const ticker = new Ticker({ clock: loop, timers: loop }, 100, () => {
    ticks.push(loop.nowMs);
    onTick?.();
  });
  ticker.start();
  return { ticker, ticks };
}

describe('ticker', () => {
  test('on time: a tick per interval, the first after one', async () => {
    const time = new VirtualTime();
    const ticks: number[] = [];
    const env = { clock: time, timers: time };
    const ticker = new Ticker(env, 100, () => ticks.push(Math.round(time.monotonicMs())));
    ticker.start();
    await time.run(450);
    expect(ticks).toEqual([100, 200, 300, 400]);
    ticker.stop();
  });

  test('timers that are a little late each time: the ticks do not drift', () => {
    const loop = new StalledLoop();
    const { ticks } = ticking(loop);
    for (let nth = 1; nth <= 50; nth += 1) loop.wakeAt(nth * 100 + 7);
    expect(ticks).toHaveLength(50);
    expect(loop.dueMs).toBe(5_100);
  });

  test('a stall of many intervals: one tick, the next a whole interval later', () => {
    const loop = new StalledLoop();
    const { ticks } = ticking(loop);
    loop.wakeAt(1_730);
    expect(ticks).toEqual([1_730]);
    loop.wakeAt(1_829);
    expect(ticks).toEqual([1_730]);
    loop.wakeAt(1_830);
    expect(ticks).toEqual([1_730, 1_830]);
  });

  test('a stall that ends exactly where the next tick was due: one tick', () => {
    const loop = new StalledLoop();
    const { ticks } = ticking(loop);
    loop.wakeAt(200);
    expect(ticks).toEqual([200]);
    expect(loop.dueMs).toBe(300);
  });

  test('stopped: no tick and no timer; twice does nothing', () => {
    const loop = new StalledLoop();
    const { ticker, ticks } = ticking(loop);
    ticker.stop();
    ticker.stop();
    expect(loop.dueMs).toBeUndefined();
    loop.wakeAt(1_000);
    expect(ticks).toEqual([]);
  });

  test('stopped inside of a tick: it was the last one', () => {
    const loop = new StalledLoop();
    let stop = () => {};
    const { ticker, ticks } = ticking(loop, () => stop());
    stop = () => ticker.stop();
    loop.wakeAt(100);
    loop.wakeAt(500);
    expect(ticks).toEqual([100]);
    expect(loop.dueMs).toBeUndefined();
  });
});
