// Virtual time: order of events, what settles between two of them, and the trace hash.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventQueue, SimEvent } from '../../src/testing/event-queue.js';
import { SimScheduler } from '../../src/testing/sim-scheduler.js';

describe('event queue', () => {
  test('any order of pushes, pops and cancels -> same as a sorted list', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), timeUs: fc.nat(20) }),
      fc.record({ kind: fc.constant('pop' as const) }),
      fc.record({ kind: fc.constant('cancel' as const), at: fc.nat(30) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = new EventQueue();
        let model: SimEvent[] = [];
        for (const [seq, it] of steps.entries()) {
          if (it.kind === 'push') {
            const event = new SimEvent({ timeUs: it.timeUs, seq }, () => {});
            queue.push(event);
            model.push(event);
            model.sort((a, b) => a.timeUs - b.timeUs || a.seq - b.seq);
          } else if (it.kind === 'pop') {
            expect(queue.pop()).toBe(model.shift());
          } else {
            const event = model[it.at % Math.max(1, model.length)];
            event?.cancel();
            model = model.filter((other) => other !== event);
          }
        }
        for (const event of model) expect(queue.pop()).toBe(event);
        expect(queue.pop()).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});

describe('scheduler', () => {
  test('events of several times -> run by time, then in the order of scheduling', async () => {
    const scheduler = new SimScheduler();
    const seen: string[] = [];
    const note = (name: string) => () => seen.push(`${scheduler.nowUs} ${name}`);
    scheduler.at(20, note('c'));
    scheduler.at(10, note('a'));
    scheduler.at(10, () => {
      note('b')();
      scheduler.after(0, note('b2'));
    });
    scheduler.at(10, note('b1'));
    scheduler.at(31, note('late'));
    scheduler.at(15, note('cancelled')).cancel();
    expect(await scheduler.runTo(30)).toBe(false);
    expect(seen).toEqual(['10 a', '10 b', '10 b1', '10 b2', '20 c']);
    expect(scheduler.nowUs).toBe(30);
  });

  test('a long chain of promises after an event -> settles before the next event', async () => {
    const scheduler = new SimScheduler();
    const seen: string[] = [];
    const chain = async (): Promise<void> => {
      for (let turn = 0; turn < 1_000; turn += 1) await Promise.resolve();
      seen.push(`chain at ${scheduler.nowUs}`);
    };
    scheduler.at(1, () => void chain());
    scheduler.at(2, () => seen.push('next'));
    void chain();
    await scheduler.runTo(2);
    expect(seen).toEqual(['chain at 0', 'chain at 1', 'next']);
  });

  test('stop condition -> ends after the event that made it true, at its time', async () => {
    const scheduler = new SimScheduler();
    let count = 0;
    for (const timeUs of [1, 2, 3]) scheduler.at(timeUs, () => (count += 1));
    expect(await scheduler.runTo(100, () => count === 2)).toBe(true);
    expect([scheduler.nowUs, count]).toEqual([2, 2]);
  });

  test('an event that throws -> rejects the run, and the next run goes on', async () => {
    const scheduler = new SimScheduler();
    scheduler.at(1, () => {
      throw new Error('planted');
    });
    let later = false;
    scheduler.at(2, () => (later = true));
    await expect(scheduler.runTo(10)).rejects.toThrow('planted');
    expect(later).toBe(false);
    await scheduler.runTo(10);
    expect(later).toBe(true);
  });

  test('time that is past or no integer, two runs at once -> assertion', async () => {
    const scheduler = new SimScheduler();
    await scheduler.runTo(5);
    const code = { code: 'ASSERTION' };
    expect(() => scheduler.at(4, () => {})).toThrow(expect.objectContaining(code));
    expect(() => scheduler.at(5.5, () => {})).toThrow(expect.objectContaining(code));
    const run = scheduler.runTo(6);
    await expect(scheduler.runTo(7)).rejects.toMatchObject(code);
    await run;
  });
});

describe('trace', () => {
  test('any other detail, time, node or order -> another hash', async () => {
    const hashes = new Set<string>();
    const facts: [number, string, string, string | number][][] = [
      [],
      [[1, 'n1', 'put', 1]],
      [[2, 'n1', 'put', 1]],
      [[1, 'n2', 'put', 1]],
      [[1, 'n1', 'get', 1]],
      [[1, 'n1', 'put', 2 ** 32 + 1]],
      [[1, 'n1', 'put', '1']],
      [
        [1, 'n1', 'put', 1],
        [1, 'n1', 'put', 2],
      ],
      [
        [1, 'n1', 'put', 2],
        [1, 'n1', 'put', 1],
      ],
    ];
    for (const run of facts) {
      const scheduler = new SimScheduler();
      for (const [timeUs, node, kind, detail] of run) {
        scheduler.at(timeUs, () => scheduler.trace(kind, node, detail));
      }
      await scheduler.runTo(10);
      expect(scheduler.traceHash).toMatch(/^[0-9a-f]{16}$/);
      hashes.add(scheduler.traceHash);
    }
    expect(hashes.size).toBe(facts.length);
  });

  test('more lines than are kept -> the newest, in order', () => {
    const scheduler = new SimScheduler({ traceLines: 3 });
    for (let at = 0; at < 5; at += 1) scheduler.trace('put', 'n1', at, 'key');
    expect(scheduler.traceLines).toEqual([2, 3, 4].map((at) => `0.000ms n1 put ${at} key`));
    const silent = new SimScheduler({ traceLines: 0 });
    for (let at = 0; at < 5; at += 1) silent.trace('put', 'n1', at, 'key');
    expect(silent.traceLines).toEqual([]);
    expect(silent.traceHash).toBe(scheduler.traceHash);
  });
});
