// Power is lost at any moment around large entries, flushes under way: what is opened again is the state
// of an applied index, and the log leads from there to the same end. A failure names its seed.
import { expect, test } from 'vitest';
import { Prng, randomInt } from '../../src/base/prng.js';
import { encodeCommand } from '../../src/codec/command-codec.js';
import type { Command } from '../../src/mvcc/index.js';
import type { Entry } from '../../src/raft/types.js';
import { WriteBehindBackend } from '../../src/storage/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { type SimMachine, Simulator } from '../../src/testing/index.js';
import { depth } from '../mvcc/depth.js';

const slice = { limit: 5, bytesMax: 1e9 };
const puts = (prefix: string, lease?: bigint): Command[] =>
  Array.from({ length: 12 }, (_, nth) => {
    return { op: 'put', key: `${prefix}${nth}`, value: Uint8Array.of(nth), lease };
  });
const commands: readonly Command[] = [
  { op: 'lease-grant', id: 7n, ttlSeconds: 60 },
  ...puts('a'),
  ...puts('b', 7n),
  { op: 'delete', keys: { gte: 'a', lt: 'b' } },
  ...puts('a', 7n),
  { op: 'lease-revoke', id: 7n },
  ...puts('c'),
  { op: 'delete', keys: { gte: '' } },
  ...puts('d'),
];
const log = commands.map((command, nth): Entry => {
  const data = encodeCommand({ session: 2 ** 52, seq: nth + 1, doneBelow: 1, command });
  return { term: 1, index: nth + 1, type: 'normal', data };
});

async function open(machine: SimMachine): Promise<StoreStateMachine> {
  const { timers, openEngine } = machine.boot();
  const engine = await openEngine('state');
  const options = { engine, timers, flushIntervalMs: 1, overlayBytesMax: 4_000 };
  const state = new StoreStateMachine(await WriteBehindBackend.open(options), undefined, slice);
  await state.open();
  return state;
}

/** Applies what is left of the log, in batches; returns the hash at each batch's end. */
async function replay(state: StoreStateMachine, random: Prng, hashes: Map<number, string>) {
  while (state.appliedIndex < log.length) {
    const from = state.appliedIndex;
    await state.apply(log.slice(from, from + 1 + randomInt(random, 6)));
    const { stateHash } = state.keyspace;
    expect(hashes.get(state.appliedIndex) ?? stateHash).toBe(stateHash);
    hashes.set(state.appliedIndex, stateHash);
  }
}

const seeds = Array.from({ length: 50 * depth }, (_, nth) => nth + 1);
test('power lost around large entries -> the state of an applied index, then the same end', async () => {
  const hashes = new Map<number, string>();
  let inside = 0;
  for (const seed of seeds) {
    const sim = new Simulator({ seed, traceLines: 0 });
    const random = new Prng(seed);
    const machine = sim.machine('n1');
    for (let life = 0; life < 4; life += 1) {
      const state = await sim.complete(open(machine), 60_000);
      const { stateHash } = state.keyspace;
      const known = hashes.get(state.appliedIndex);
      if (state.appliedIndex > 0) expect([seed, known ?? stateHash]).toEqual([seed, stateHash]);
      const done = replay(state, random, hashes);
      if (life === 3) {
        await sim.complete(done, 60_000);
        break;
      }
      done.catch(() => undefined);
      await sim.run(randomInt(random, 1_500) / 1_000);
      if (state.appliedIndex < log.length) inside += 1;
      machine.crash('power');
    }
  }
  expect(inside).toBeGreaterThan(seeds.length / 2);
}, 60_000);
