// What removing compacted history reads at a time: large versions may come behind any number of small ones.
import { expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { encodeCommand } from '../../src/codec/command-codec.js';
import type { ReadPlan } from '../../src/mvcc/backend.js';
import type { Command } from '../../src/mvcc/index.js';
import type { Entry } from '../../src/raft/types.js';
import { MemoryEngine, WriteBehindBackend } from '../../src/storage/index.js';
import { CompactionLoop } from '../../src/store/compaction-loop.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { VirtualTime } from '../node/virtual-time.js';

const name = (nth: number): string => `large${nth}`;
const value = new Uint8Array(300_000);
const deletes = Array.from({ length: 300 }, (_, nth): Command => {
  return { op: 'delete', keys: { gte: name(nth), lt: `${name(nth)}\0` } };
});
const puts = Array.from({ length: 300 }, (_, nth): Command => {
  return { op: 'put', key: name(nth), value };
});

test.each([
  ['deleted', deletes],
  ['replaced', puts],
])(
  'small versions, then large ones that are %s -> no step of the removal reads much more than it aims at',
  async (_what, ends) => {
    const timers = new VirtualTime();
    const backend = await WriteBehindBackend.open({ engine: new MemoryEngine(), timers });
    const machine = new StoreStateMachine(backend);
    await machine.open();
    const apply = (command: Command) => {
      const index = machine.appliedIndex + 1;
      const data = encodeCommand({ session: 2 ** 52, seq: index, doneBelow: 1, command });
      const entry: Entry = { term: 1, index, type: 'normal', data };
      return timers.settle(machine.apply([entry]));
    };
    for (let nth = 0; nth < 2_000; nth += 1) {
      await apply({ op: 'put', key: 'small', value: new Uint8Array(1) });
    }
    for (const command of [...puts, ...ends]) await apply(command);
    let largest = 0;
    const read = backend.read.bind(backend);
    backend.read = async (plan: ReadPlan) => {
      const reads = await read(plan);
      let bytes = 0;
      for (const record of reads.records) bytes += record?.length ?? 0;
      for (const range of reads.ranges) for (const [, record] of range) bytes += record.length;
      largest = Math.max(largest, bytes);
      return reads;
    };
    const loop = new CompactionLoop(timers, timers, machine);
    machine.whenCompacted(() => loop.wake());
    const { revision } = machine.keyspace;
    await apply({ op: 'compact', revision });
    await timers.run(60_000);
    loop.close();
    expect(machine.keyspace.removedHash).toMatchObject({ revision, isWhole: true });
    expect(largest).toBeLessThan(4 * limits.compactionBytesAim);
  },
);
