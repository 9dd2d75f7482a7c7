// What applying a batch holds in memory: many small commands may each end a version of the largest size.
import { expect, test } from 'vitest';
import { encodeCommand } from '../../src/codec/command-codec.js';
import type { ReadPlan } from '../../src/mvcc/backend.js';
import { type Command, selectKey } from '../../src/mvcc/index.js';
import type { Entry } from '../../src/raft/types.js';
import { MemoryEngine, WriteBehindBackend } from '../../src/storage/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { VirtualTime } from '../node/virtual-time.js';

const count = 500;
const value = new Uint8Array(100_000);
const overlayBytesMax = 4_000_000;

/** The most that one fetch of records weighed while a batch was applied that ends all of them. */
async function largestFetch(end: (key: string) => Command): Promise<number> {
  const timers = new VirtualTime();
  const engine = new MemoryEngine();
  const backend = await WriteBehindBackend.open({ engine, timers, overlayBytesMax });
  const machine = new StoreStateMachine(backend);
  await machine.open();
  const entries = (commands: readonly Command[]): Entry[] =>
    commands.map((command, nth) => {
      const index = machine.appliedIndex + nth + 1;
      const data = encodeCommand({ session: 2 ** 52, seq: index, doneBelow: 1, command });
      return { term: 1, index, type: 'normal', data };
    });
  const keys = Array.from({ length: count }, (_, nth) => `key${nth}`);
  for (const key of keys) {
    await timers.settle(machine.apply(entries([{ op: 'put', key, value }])));
  }
  let largest = 0;
  const read = backend.read.bind(backend);
  backend.read = async (plan: ReadPlan) => {
    const reads = await read(plan);
    let bytes = 0;
    for (const record of reads.records) bytes += record?.length ?? 0;
    largest = Math.max(largest, bytes);
    return reads;
  };
  await timers.settle(machine.apply(entries(keys.map(end))));
  return largest;
}

const ends: [string, (key: string) => Command][] = [
  ['deletes', (key) => ({ op: 'delete', keys: selectKey(key) })],
  ['puts', (key) => ({ op: 'put', key, value: new Uint8Array(1) })],
];

test.each(ends)(
  'a batch of small %s over large values -> reads no more at a time than the overlay may hold',
  async (_what, end) => {
    expect(await largestFetch(end)).toBeLessThan(overlayBytesMax + 2 * value.length);
  },
);

test.each<[string, (key: string) => Command]>([
  ['deletes', (key) => ({ op: 'delete', keys: selectKey(key), previous: true })],
  ['puts', (key) => ({ op: 'put', key, value: new Uint8Array(1), previous: true })],
  [
    'transactions',
    (key) => ({
      op: 'txn',
      compares: [],
      success: [
        { op: 'range', keys: selectKey(key) },
        { op: 'delete', keys: selectKey(key) },
      ],
      failure: [],
    }),
  ],
])(
  'a batch of small %s that answer large values, nobody here waits -> no answer is held',
  async (_what, end) => {
    const timers = new VirtualTime();
    const engine = new MemoryEngine();
    const backend = await WriteBehindBackend.open({ engine, timers, overlayBytesMax });
    const machine = new StoreStateMachine(backend);
    await machine.open();
    const entryOf = (command: Command, index: number): Entry => {
      const data = encodeCommand({ session: 2 ** 52, seq: index, doneBelow: 1, command });
      return { term: 1, index, type: 'normal', data };
    };
    const keys = Array.from({ length: count }, (_, nth) => `key${nth}`);
    for (const [nth, key] of keys.entries()) {
      await timers.settle(machine.apply([entryOf({ op: 'put', key, value }, nth + 1)]));
    }
    const entries = keys.map((key, nth) => entryOf(end(key), count + nth + 1));
    const results = await timers.settle(machine.apply(entries, ({ seq }) => seq === count + 1));
    expect(results[0]?.value).toBeDefined();
    expect(results.slice(1).filter((each) => each.value !== undefined)).toEqual([]);
  },
);
