// Mistakes of a machine's author that no answer shows: each is a violation all the same.
import { describe, expect, test } from 'vitest';
import type { Env } from '../../../src/node/index.js';
import type { KvEngine } from '../../../src/storage/index.js';
import { type ReplicatedMachineSpec, simulate } from '../../../src/testing/index.js';
import { Bank, bankOf } from './bank.js';
import { engineCounter } from './engine-counter.js';

describe('snapshot gives no bytes', { timeout: 60_000 }, () => {
  test.each([
    ['a promise of them', async (bytes: Uint8Array) => bytes],
    ['nothing', () => undefined],
    ['an object', () => ({})],
  ] as const)('%s -> the member stops', async (_, snapshotOf) => {
    class Unsaved extends Bank {
      override snapshot(): Uint8Array {
        return snapshotOf(super.snapshot()) as Uint8Array;
      }
    }
    const machine = bankOf(() => new Unsaved());
    const { violation } = await simulate({ seed: 1, machine, duration: '8s', members: 3 });
    expect(violation?.id).toBe('ASSERTION');
    expect(violation?.message).toContain('snapshot of the machine');
  });
});

/** An engine whose writes are never synced, although the machine counts on it. */
function unsynced(engine: KvEngine): KvEngine {
  return {
    getMany: (keys) => engine.getMany(keys),
    iterate: (range) => engine.iterate(range),
    write: (batch) => engine.write(batch, { sync: false }),
    close: () => engine.close(),
  };
}

test('durableIndex counts what a power loss takes -> S1', { timeout: 60_000 }, async () => {
  const honest = engineCounter('one batch');
  const machine: ReplicatedMachineSpec<number, number, number> = {
    ...honest,
    open: (env, ...rest) => {
      const openEngine: Env['openEngine'] = async (path) => unsynced(await env.openEngine(path));
      return honest.open({ ...env, openEngine }, ...rest);
    },
  };
  const ids: (string | undefined)[] = [];
  for (const seed of [1, 4, 9]) {
    const faults = ['crash', 'power-cut'] as const;
    const run = await simulate({ seed, machine, duration: '8s', members: 3, faults });
    ids.push(run.violation?.id);
  }
  expect(ids).toEqual(['S1', 'S1', 'S1']);
});

test('a machine whose only input is undefined -> every entry was asked for', async () => {
  const counter = () => {
    let count = 0;
    return {
      apply: () => (count += 1),
      snapshot: () => Uint8Array.of(count >>> 8, count & 0xff),
      restore: ([high, low]: Uint8Array) => {
        count = 256 * (high as number) + (low as number);
      },
    };
  };
  const machine = {
    create: counter,
    encode: () => Uint8Array.of(1),
    draw: () => undefined,
    model: {
      initial: () => 0,
      execute: (count: number) => ({ state: count + 1, answer: count + 1 }),
    },
  };
  (await simulate({ seed: 1, machine, duration: '2s' })).assert();
});
