import { describe, expect, test } from 'vitest';
import { sleep } from '../../src/base/sleep.js';
import { ManualTimers } from '../storage/manual-timers.js';

async function isOver(slept: Promise<void>): Promise<boolean> {
  let over = false;
  void slept.then(() => {
    over = true;
  });
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  return over;
}

describe('sleep', () => {
  test('its time passes -> over, and no timer is left', async () => {
    const timers = new ManualTimers();
    const slept = sleep(timers, 10);
    timers.advance(9);
    expect(await isOver(slept)).toBe(false);
    timers.advance(1);
    expect([await isOver(slept), timers.count]).toEqual([true, 0]);
  });

  test('the signal fires -> over at once; before it began -> not begun', async () => {
    const timers = new ManualTimers();
    const controller = new AbortController();
    const slept = sleep(timers, 10, controller.signal);
    expect(await isOver(slept)).toBe(false);
    controller.abort();
    expect([await isOver(slept), timers.count]).toEqual([true, 0]);
    expect(await isOver(sleep(timers, 10, controller.signal))).toBe(true);
    expect(timers.count).toBe(0);
  });
});
