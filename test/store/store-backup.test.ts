// How fast a backup is made of a store that others use meanwhile. What is in it: test/backup.
import { expect, test } from 'vitest';
import { type KontikiError, kontikiError } from '../../src/base/errors.js';
import type { StoreStateMachine } from '../../src/store/state-machine.js';
import { backupOf } from '../../src/store/store-backup.js';
import { VirtualTime } from '../node/virtual-time.js';

const chunks = 50;
const readMs = 2;

/** A backup of so many chunks, each read for as long; entries are applied each millisecond, if at all. */
function world(
  hasLoad: boolean,
  signal?: AbortSignal,
  time = new VirtualTime(),
  refusal: () => KontikiError | undefined = () => undefined,
) {
  const machine = {
    appliedIndex: 9,
    keyspace: { revision: 5 },
    snapshot() {
      let left = chunks;
      return {
        appliedIndex: 9,
        next: async () => {
          await new Promise<void>((resolve) => time.after(readMs, resolve));
          left -= 1;
          return left < 0 ? undefined : Uint8Array.of(left);
        },
        close: async () => undefined,
      };
    },
  };
  const apply = () => {
    machine.appliedIndex += 1;
    if (machine.appliedIndex < 10_000) time.after(1, apply);
  };
  if (hasLoad) apply();
  const backup = backupOf(
    {
      clock: time,
      timers: time,
      node: { identity: { clusterId: 1 }, status: { raft: { term: 1 } } } as never,
      machine: machine as unknown as StoreStateMachine,
      catchUp: async () => undefined,
      refusal,
    },
    { signal },
  );
  const takeAll = async (takeMs: number) => {
    const from = time.monotonicMs();
    for await (const chunk of backup) {
      expect(chunk.length).toBeGreaterThan(0);
      if (takeMs > 0) await new Promise<void>((resolve) => time.after(takeMs, resolve));
    }
    return time.monotonicMs() - from;
  };
  let iterator: AsyncIterator<Uint8Array> | undefined;
  const takeOne = () => {
    iterator ??= backup[Symbol.asyncIterator]();
    return iterator.next();
  };
  return { take: (takeMs = 0) => time.settle(takeAll(takeMs)), takeOne };
}

test('nothing is applied meanwhile -> as fast as it can be read', async () => {
  expect(await world(false).take()).toBeLessThan(1.05 * (chunks + 1) * readMs);
});

test('entries are applied meanwhile -> it takes a fifth of the time', async () => {
  const ms = await world(true).take();
  expect(ms).toBeGreaterThan(4.8 * chunks * readMs);
  expect(ms).toBeLessThan(5.1 * (chunks + 1) * readMs);
});

test('whoever takes the chunks needs longer than the pauses -> there are none besides', async () => {
  const takeMs = 20;
  // Header and trailer are chunks, too.
  const all = (chunks + 2) * takeMs + (chunks + 1) * readMs;
  expect(await world(true).take(takeMs)).toBeLessThan(1.02 * all);
});

test('given up in a rest -> no chunk more, and the reason at once', async () => {
  const time = new VirtualTime();
  const controller = new AbortController();
  const { takeOne } = world(true, controller.signal, time);
  for (let nth = 0; nth < 10; nth += 1) await time.settle(takeOne());
  const reason = new Error('enough');
  const last = takeOne();
  last.catch(() => undefined);
  await Promise.resolve();
  const fromMs = time.monotonicMs();
  controller.abort(reason);
  await expect(time.settle(last)).rejects.toBe(reason);
  expect(time.monotonicMs() - fromMs).toBe(0);
});

test.each([3, chunks + 1])(
  'the state is found to be wrong before chunk %i is given -> CORRUPT, no end',
  async (nth) => {
    const time = new VirtualTime();
    let asked = 0;
    const wrong = kontikiError('CORRUPT', 'wrong');
    const { take } = world(false, undefined, time, () => (++asked >= nth ? wrong : undefined));
    await expect(take()).rejects.toBe(wrong);
    expect(asked).toBe(nth);
  },
);
