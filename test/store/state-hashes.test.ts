// The state hash at every index divisible by 1,024: the same records whatever the batches are cut
// into, and across restarts and snapshots. The slow twin is a keyspace that applies one by one.
import { describe, expect, test } from 'vitest';
import { systemTimers, type Timers } from '../../src/base/clock.js';
import { limits } from '../../src/base/limits.js';
import { Prng, randomInt } from '../../src/base/prng.js';
import { encodeCommand } from '../../src/codec/command-codec.js';
import type { ReadPlan } from '../../src/mvcc/backend.js';
import { segmentsOf } from '../../src/mvcc/batch.js';
import type { Keyspace } from '../../src/mvcc/keyspace.js';
import type { Command } from '../../src/mvcc/types.js';
import type { Entry } from '../../src/raft/types.js';
import { MemoryEngine, MemoryStateHome, WriteBehindBackend } from '../../src/storage/index.js';
import type { KvEngine } from '../../src/storage/kv-engine.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { SortedBackend } from '../mvcc/sorted-backend.js';

const seed = Number(process.env.KONTIKI_SEED ?? Math.floor(performance.timeOrigin) % 1_000_000);
const noData = new Uint8Array(0);

/** A batch over several of these indexes lets the turn end between; flushes wait for the test. */
const timers: Timers = {
  after: () => ({ cancel: () => undefined }),
  soon: (callback) => systemTimers.soon(callback),
};

async function opened(engine: KvEngine = new MemoryEngine()): Promise<StoreStateMachine> {
  const openBackend = (of: KvEngine) => WriteBehindBackend.open({ engine: of, timers });
  const home = new MemoryStateHome(openBackend);
  const machine = new StoreStateMachine(await openBackend(engine), home);
  await machine.open();
  return machine;
}

function randomCommand(random: Prng): Command {
  const key = `k${randomInt(random, 40)}`;
  switch (randomInt(random, 40)) {
    case 0:
      return { op: 'delete', keys: { gte: key, lt: 'k3' } };
    case 1:
      return { op: 'lease-grant', id: BigInt(1 + randomInt(random, 9)), ttlSeconds: 60 };
    case 2:
      return { op: 'compact', revision: 1 + randomInt(random, 2_000) };
    default:
      return { op: 'put', key, value: new Uint8Array([randomInt(random, 256)]) };
  }
}

/** Entries 1 to `count`; now and then one without a command, and always some at a recorded index. */
function randomLog(
  random: Prng,
  count: number,
): { entries: Entry[]; commands: (Command | undefined)[] } {
  const entries: Entry[] = [];
  const commands: (Command | undefined)[] = [];
  for (let index = 1; index <= count; index += 1) {
    const isEmpty = index === 2_048 || randomInt(random, 10) === 0;
    const command = isEmpty ? undefined : randomCommand(random);
    const data =
      command === undefined
        ? noData
        : encodeCommand({ session: 2 ** 52, seq: index, doneBelow: 1, command });
    commands.push(command);
    entries.push({ term: 1, index, type: 'normal', data });
  }
  return { entries, commands };
}

function applyOne(
  keyspace: Keyspace,
  backend: SortedBackend,
  { command, index }: { command: Command; index: number },
): void {
  for (const segment of segmentsOf(keyspace, [command], [{ term: 1, index }])) {
    let plan: ReadPlan | undefined = segment.plan;
    while (plan !== undefined) plan = segment.supply(backend.read(plan));
    backend.apply(segment.execute().changes);
  }
}

/** One command at a time, the hash looked at after each entry. */
function expectedHashes(commands: readonly (Command | undefined)[]) {
  const backend = new SortedBackend();
  const keyspace = backend.open();
  const hashes: { index: number; hash: string }[] = [];
  commands.forEach((command, at) => {
    const index = at + 1;
    if (command !== undefined) applyOne(keyspace, backend, { command, index });
    if (index % 1_024 === 0) hashes.push({ index, hash: keyspace.stateHash });
  });
  return hashes;
}

async function applyCut(
  machine: StoreStateMachine,
  entries: readonly Entry[],
  size: () => number,
): Promise<void> {
  for (let at = 0; at < entries.length; ) {
    const to = Math.min(entries.length, at + size());
    const results = await machine.apply(entries.slice(at, to));
    expect(results).toHaveLength(to - at);
    const last = results.at(-1)?.requestId?.seq;
    if (last !== undefined) expect(last).toBe(to);
    at = to;
  }
}

/** What `from` holds, as a stream. */
async function* contentOf(from: StoreStateMachine): AsyncGenerator<Uint8Array> {
  const snapshot = from.snapshot();
  for (;;) {
    const chunk = await snapshot.next();
    if (chunk === undefined) break;
    yield chunk.slice();
  }
  await snapshot.close();
}

describe('state hashes', () => {
  test(`batches cut at random -> the hashes of one command at a time (seed ${seed})`, async () => {
    const random = new Prng(seed);
    const { entries, commands } = randomLog(random, 3_300);
    const expected = expectedHashes(commands);
    expect(expected.map(({ index }) => index)).toEqual([1_024, 2_048, 3_072]);
    expect(new Set(expected.map(({ hash }) => hash)).size).toBe(3);
    for (const largest of [3_300, 1_500, 40]) {
      const machine = await opened();
      await applyCut(machine, entries, () => 1 + randomInt(random, largest));
      expect(machine.stateHashes, `batches up to ${largest}`).toEqual(expected);
    }
    const whole = await opened();
    await applyCut(whole, entries, () => entries.length);
    expect(whole.stateHashes, 'one batch').toEqual(expected);
  });

  test('opened again, exactly there and elsewhere -> goes on with the same hashes', async () => {
    const { entries, commands } = randomLog(new Prng(seed), 3_300);
    const expected = expectedHashes(commands);
    for (const durable of [1_500, 2_048]) {
      const engine = new MemoryEngine();
      const before = await opened(engine);
      await before.apply(entries.slice(0, durable));
      await before.flush();
      await before.apply(entries.slice(durable, 2_100));
      engine.crash();
      const after = await opened(engine.reopen());
      expect(after.appliedIndex).toBe(durable);
      await after.apply(entries.slice(durable));
      expect(after.stateHashes).toEqual(expected.filter(({ index }) => index >= durable));
    }
  });

  test('a snapshot takes the place of the state -> only hashes of the new one', async () => {
    const { entries, commands } = randomLog(new Prng(seed), 3_300);
    const expected = expectedHashes(commands);
    for (const index of [2_000, 2_048]) {
      const source = await opened();
      await source.apply(entries.slice(0, index));
      const target = await opened();
      await target.apply(entries.slice(0, 1_200).map((entry) => ({ ...entry, data: noData })));
      expect(target.stateHashes[0]?.hash).not.toBe(expected[0]?.hash);
      await target.restore(index, contentOf(source));
      await target.apply(entries.slice(index));
      expect(target.stateHashes).toEqual(expected.slice(1));
    }
  });

  test('more than are kept -> the newest', async () => {
    const machine = await opened();
    const count = (limits.stateHashesMax + 2) * 1_024;
    const at = (index: number): Entry => ({ term: 1, index, type: 'normal', data: noData });
    for (let index = 1; index <= count; index += 65_536) {
      const size = Math.min(65_536, count - index + 1);
      await machine.apply(Array.from({ length: size }, (_, nth) => at(index + nth)));
    }
    expect(machine.stateHashes).toHaveLength(limits.stateHashesMax);
    expect(machine.stateHashes[0]?.index).toBe(3 * 1_024);
    expect(machine.stateHashes.at(-1)?.index).toBe(count);
  });
});
