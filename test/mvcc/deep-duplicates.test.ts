// What a request of its largest size costs does not go by how its operations are nested, or stand to each other:
// all members apply it, in a few turns.
import { afterEach, expect, test, vi } from 'vitest';
import { encodeCommand } from '../../src/codec/command-codec.js';
import { duplicateKey } from '../../src/mvcc/duplicate-key.js';
import type { Command, KeyVersion, Operation, OperationResult } from '../../src/mvcc/index.js';
import type { Entry } from '../../src/raft/types.js';
import { MemoryEngine, WriteBehindBackend } from '../../src/storage/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { VirtualTime } from '../node/virtual-time.js';

afterEach(() => void vi.restoreAllMocks());

const value = new Uint8Array(0);
const name = (nth: number): string => `k${String(nth).padStart(6, '0')}`;
const put = (key: string): Operation => ({ op: 'put', key, value });
const txn = (success: readonly Operation[]) => {
  return { op: 'txn', compares: [], success, failure: [] } as const;
};

/** A few to a transaction. */
function nested(operations: readonly Operation[], width = 4) {
  let level = operations;
  while (level.length > width) {
    const all = level;
    level = Array.from({ length: Math.ceil(all.length / width) }, (_, at) => {
      return txn(all.slice(width * at, width * at + width));
    });
  }
  return txn(level);
}

/** From now on, how long all the arrays are together that a method is called on. */
function watched(method: 'find' | 'sort' | 'splice'): () => number {
  let lengths = 0;
  const original = Array.prototype[method] as (...args: unknown[]) => unknown;
  const spy = vi.spyOn(Array.prototype, method);
  spy.mockImplementation(function (this: unknown[], ...args: unknown[]) {
    lengths += this.length;
    return original.apply(this, args) as never;
  });
  return () => {
    spy.mockRestore();
    return lengths;
  };
}

function sorted(work: () => void): number {
  const lengths = watched('sort');
  work();
  return lengths();
}

const remove = (gte: string, lt: string): Operation => ({ op: 'delete', keys: { gte, lt } });

test.each<[string, (inner: Operation, level: number) => Operation[]]>([
  ['alone', (inner) => [inner]],
  ['beside a put', (inner, level) => [inner, put(`${name(level)}+`)]],
  ['behind a delete', (inner, level) => [remove(`${name(level)}-`, `${name(level)}.`), inner]],
])(
  '60,000 puts in 90 transactions around each other, each %s -> sorted as often as without',
  (_what, around) => {
    const count = 60_000;
    let outer: Operation = nested(
      Array.from({ length: count }, (_, nth) => put(name((nth * 7_919) % count))),
    );
    const flat = sorted(() => duplicateKey([outer]));
    for (let level = 0; level < 90; level += 1) outer = txn(around(outer, level));
    const deep = sorted(() => expect(duplicateKey([outer])).toBeUndefined());
    expect(deep).toBeLessThan(1.1 * flat);
    // The innermost one clashes with what is around all of it.
    expect(duplicateKey([outer, put(name(7))])).toBe(name(7));
    expect(duplicateKey([remove(name(7), name(8)), outer])).toBe(name(7));
  },
);

/** Applies commands as a member does, the last one with an eye on a method of arrays. */
async function apply(commands: readonly Command[], method: 'find' | 'splice') {
  const timers = new VirtualTime();
  const backend = await WriteBehindBackend.open({ engine: new MemoryEngine(), timers });
  const machine = new StoreStateMachine(backend);
  await machine.open();
  const entries = commands.map((command, at): Entry => {
    const index = at + 1;
    const data = encodeCommand({ session: 2 ** 52, seq: index, doneBelow: 1, command });
    return { term: 1, index, type: 'normal', data };
  });
  await timers.settle(machine.apply(entries.slice(0, -1)));
  const watch = watched(method);
  const [{ value: result }] = (await timers.settle(machine.apply(entries.slice(-1)))) as [
    { value: unknown },
  ];
  const lengths = watch();
  await timers.settle(machine.close());
  return { lengths, result };
}

test('10,000 puts behind a range -> none moves all the others', async () => {
  const count = 10_000;
  const range: Operation = { op: 'range', keys: { gte: 'k', lt: 'l' }, limit: 1 };
  // Descending: each belongs before all others.
  const [first, ...others] = Array.from({ length: count }, (_, nth) => put(name(count - nth)));
  const { lengths } = await apply([nested([first!, range, ...others, range], 32)], 'splice');
  expect(lengths).toBeLessThan(1_000 * count);
});

test('2,000 gets of one key, each at a revision of its own -> no answer is searched among all', async () => {
  const count = 2_000;
  const puts = Array.from({ length: count }, (): Command => ({ op: 'put', key: 'k', value }));
  const gets = Array.from({ length: 2 * count }, (_, nth): Operation => {
    return { op: 'range', keys: { gte: 'k', lt: 'k\0' }, revision: 2 + (nth % count) };
  });
  const { lengths, result } = await apply([...puts, nested(gets, 32)], 'find');
  const versions = versionsIn(result as OperationResult);
  expect(versions.map(({ version }) => version)).toEqual(gets.map((_, nth) => 1 + (nth % count)));
  // Each is kept once.
  expect(new Set(versions).size).toBe(count);
  expect(lengths).toBeLessThan(100 * count);
});

function versionsIn(result: OperationResult): readonly KeyVersion[] {
  if (result.op === 'txn') return result.results.flatMap(versionsIn);
  return result.op === 'range' ? result.kvs : [];
}
