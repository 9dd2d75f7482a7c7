// A batch of entries whose reads are all in memory: others get to run in between. Turns are counted, not time.
import { expect, test } from 'vitest';
import { encodeCommand } from '../../src/codec/command-codec.js';
import type { Command, Operation } from '../../src/mvcc/types.js';
import type { Entry } from '../../src/raft/types.js';
import { MemoryEngine, WriteBehindBackend } from '../../src/storage/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { VirtualTime } from '../node/virtual-time.js';

const value = new Uint8Array(1);
const many = (count: number, make: (nth: number) => Operation): Operation[] =>
  Array.from({ length: count }, (_, nth) => make(nth));
const txn = (success: readonly Operation[]) => {
  return { op: 'txn', compares: [], success, failure: [] } as const;
};
const get: Operation = { op: 'range', keys: { gte: 'k1', lt: 'k1\0' } };
const gets = txn(many(128, () => get));

const lease = { id: 7n, generation: 1, remainingMs: 1 };
const cases: readonly (readonly [string, number, Command])[] = [
  [
    'puts of keys that are hot',
    400,
    txn(many(128, (nth) => ({ op: 'put', key: `k${nth}`, value }))),
  ],
  ['gets of one key', 400, gets],
  ['one transaction of 16,384 gets of one key', 1, txn(many(16, () => txn(many(8, () => gets))))],
  [
    'one transaction of 16,384 deletes of nothing',
    1,
    txn(
      many(16, () =>
        txn(many(8, () => txn(many(128, () => ({ op: 'delete', keys: { gte: 'x', lt: 'x\0' } }))))),
      ),
    ),
  ],
  [
    'checkpoints',
    400,
    { op: 'lease-checkpoint', term: 1, leases: Array.from({ length: 128 }, () => lease) },
  ],
];

test.each(cases)('%s -> in several turns', async (_name, count, command) => {
  const time = new VirtualTime();
  const backend = await WriteBehindBackend.open({ engine: new MemoryEngine(), timers: time });
  const machine = new StoreStateMachine(backend);
  await machine.open();
  const entries = Array.from({ length: count }, (_, nth): Entry => {
    const data = encodeCommand({ session: 2 ** 52, seq: nth + 1, doneBelow: 1, command });
    return { term: 1, index: nth + 1, type: 'normal', data };
  });
  let turns = 0;
  let isOver = false;
  const next = () => {
    turns += 1;
    if (!isOver) time.soon(next);
  };
  time.soon(next);
  await time.settle(machine.apply(entries));
  isOver = true;
  // 16,384 operations and more, a thousand or two in each.
  expect(turns).toBeGreaterThan(8);
  await time.settle(machine.close());
});
