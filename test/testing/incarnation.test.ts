import { describe, expect, test } from 'vitest';
import { Incarnation } from '../../src/testing/incarnation.js';
import { SimQuartz, SimTimers } from '../../src/testing/sim-clock.js';
import { SimRandom } from '../../src/testing/sim-random.js';
import { SimScheduler } from '../../src/testing/sim-scheduler.js';

function life() {
  const scheduler = new SimScheduler();
  return { scheduler, incarnation: new Incarnation(scheduler, { machine: 'n1', number: 1 }) };
}

describe('pause', () => {
  test('what is due meanwhile -> happens in order when it goes on', async () => {
    const { scheduler, incarnation } = life();
    const seen: string[] = [];
    incarnation.schedule(10, () => seen.push('a'));
    incarnation.schedule(20, () => seen.push('b'));
    incarnation.schedule(90, () => seen.push('c'));
    incarnation.pause();
    await scheduler.runTo(50);
    expect(seen).toEqual([]);
    incarnation.resume();
    await scheduler.runTo(60);
    expect(seen).toEqual(['a', 'b']);
    await scheduler.runTo(100);
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  test('cancelled while it waits -> never happens', async () => {
    const { scheduler, incarnation } = life();
    const seen: string[] = [];
    const timer = incarnation.schedule(10, () => seen.push('a'));
    incarnation.pause();
    await scheduler.runTo(50);
    timer.cancel();
    incarnation.resume();
    await scheduler.runTo(60);
    expect(seen).toEqual([]);
  });

  test('killed while paused -> nothing happens', async () => {
    const { scheduler, incarnation } = life();
    const seen: string[] = [];
    incarnation.schedule(10, () => seen.push('a'));
    incarnation.pause();
    await scheduler.runTo(50);
    incarnation.kill();
    incarnation.resume();
    await scheduler.runTo(100);
    expect(seen).toEqual([]);
  });
});

describe('crash around an effect', () => {
  test.each([
    ['before', ['first']],
    ['after', ['first', 'second']],
  ] as const)('%s the second -> %j happened, one was heard of', async (when, happened) => {
    const { scheduler, incarnation } = life();
    const effects: string[] = [];
    const heard: string[] = [];
    let crashes = 0;
    const crash = () => {
      crashes += 1;
      incarnation.kill();
    };
    incarnation.effectCrash = { left: 2, when, crash };
    for (const name of ['first', 'second', 'third']) {
      void incarnation.settle(10, () => effects.push(name)).then(() => heard.push(name));
    }
    await scheduler.runTo(100);
    expect(effects).toEqual(happened);
    expect(heard).toEqual(['first']);
    expect(crashes).toBe(1);
  });
});

describe('quartz', () => {
  test('drift -> own time and timers gain on true time, and monotonic time never goes back', async () => {
    const { scheduler, incarnation } = life();
    const quartz = new SimQuartz(scheduler);
    const random = new SimRandom({ seed: 1, stream: 'lateness', entity: [] });
    const timers = new SimTimers(incarnation, quartz, random);
    quartz.driftPpm = 100_000;
    let firedUs = 0;
    timers.after(1_100, () => {
      firedUs = scheduler.nowUs;
    });
    await scheduler.runTo(1_000_000);
    expect(quartz.nowUs).toBe(1_100_000);
    quartz.driftPpm = -100_000;
    expect(quartz.nowUs).toBe(1_100_000);
    await scheduler.runTo(2_000_000);
    expect(quartz.nowUs).toBe(2_000_000);
    expect(firedUs).toBeGreaterThanOrEqual(1_000_000);
    expect(firedUs).toBeLessThan(1_001_000);
  });

  test('the wall clock is set -> wall time jumps, own time does not', () => {
    const quartz = new SimQuartz(new SimScheduler());
    const { wallMs, nowUs } = quartz;
    quartz.stepWall(-3_600_000);
    expect(quartz.wallMs).toBe(wallMs - 3_600_000);
    expect(quartz.nowUs).toBe(nowUs);
  });
});
