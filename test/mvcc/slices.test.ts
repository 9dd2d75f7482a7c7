// A command is executed in slices of any size, or in one go: the same result, changes, events and hash.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Change,
  type Command,
  type KeyEvent,
  type Operation,
  type RangeSlice,
  type ReadPlan,
  type ReadSet,
  segmentsOf,
} from '../../src/mvcc/index.js';
import { commands, leaseIds } from './command-arbitraries.js';
import { depth } from './depth.js';
import { plain } from './driven-keyspace.js';
import { placeAt } from './reference-leases.js';
import { SortedBackend } from './sorted-backend.js';

const inOneGo: RangeSlice = { limit: Infinity, bytesMax: Infinity };
const sizes: readonly RangeSlice[] = [
  { limit: 1, bytesMax: Infinity },
  { limit: 2, bytesMax: Infinity },
  { limit: 3, bytesMax: Infinity },
  { limit: 1_000, bytesMax: Infinity },
  { limit: Infinity, bytesMax: 1 },
  { limit: 4, bytesMax: 300 },
];

/** What one member made of each command, and how many slices it took at most. */
class Member {
  readonly backend = new SortedBackend();
  readonly keyspace = this.backend.open();
  readonly slice: RangeSlice;
  slicesMax = 0;
  #applied = 0;

  constructor(slice: RangeSlice) {
    this.slice = slice;
  }

  run(command: Command) {
    this.#applied += 1;
    const changes: Change[] = [];
    const events: KeyEvent[] = [];
    const { revision, stateHash } = this.keyspace;
    const leases = [...this.keyspace.leases()];
    const places = [placeAt(this.#applied)];
    const [segment] = [...segmentsOf(this.keyspace, [command], places, this.slice)];
    let slices = 1;
    let plan: ReadPlan | undefined = segment!.plan;
    while (plan !== undefined) {
      plan = segment!.supply(this.#read(plan));
      const part = plan === undefined ? undefined : segment!.takeSlice();
      if (part === undefined) continue;
      slices += 1;
      changes.push(...part.changes, ...part.moves);
      events.push(...part.events);
      // Nothing shows, and a slice is no larger than it may be.
      expect(part.events.length).toBeLessThan(2 * this.slice.limit);
      expect([this.keyspace.revision, this.keyspace.stateHash]).toEqual([revision, stateHash]);
      expect([...this.keyspace.leases()]).toEqual(leases);
    }
    this.slicesMax = Math.max(this.slicesMax, slices);
    const done = segment!.execute();
    const [execution] = done.executions;
    changes.push(...done.changes);
    events.push(...execution!.events);
    this.backend.apply(changes);
    const result = plain(execution!.result);
    // A command changes no record twice, so the order is that of handing out only.
    changes.sort(([a], [b]) => (a < b ? -1 : 1));
    return { result, changes, events, hash: this.keyspace.stateHash };
  }

  #read(plan: ReadPlan): ReadSet {
    const reads = this.backend.read(plan);
    const ranges = reads.ranges.map((records, at) => {
      const { bytesMax = Infinity } = plan.ranges[at]!;
      let bytes = 0;
      const end = records.findIndex(([, value]) => {
        bytes += value.length;
        return bytes >= bytesMax;
      });
      return end < 0 ? records : records.slice(0, end + 1);
    });
    return { ...reads, ranges };
  }
}

const wide = fc.constantFrom('', 'a', 'b', '\0', '\xff').map((gte) => ({ gte }));
/** Deletes that overlap, in any order, among reads and a compare of much. */
const sweep: fc.Arbitrary<Command> = fc
  .record({
    keys: fc.array(wide, { minLength: 1, maxLength: 3 }),
    previous: fc.boolean(),
    operand: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ keys, previous, operand }) => {
    const deletes = keys.map((each): Operation => ({ op: 'delete', keys: each, previous }));
    const range: Operation = { op: 'range', keys: { gte: '' }, limit: 3, count: true };
    const target = { target: 'version', result: 'greater', operand } as const;
    return {
      op: 'txn',
      compares: [{ keys: { gte: '' }, ...target }],
      success: [range, ...deletes, range],
      failure: [...deletes, range],
    };
  });
const revoke = fc.constantFrom(...leaseIds).map((id): Command => ({ op: 'lease-revoke', id }));
const sequences = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: commands },
    { weight: 2, arbitrary: sweep },
    { weight: 1, arbitrary: revoke },
  ),
  { minLength: 5, maxLength: 40, size: 'max' },
);

test('any commands, slices of any size -> as in one go, byte by byte', () => {
  const property = fc.property(sequences, (sequence) => {
    const reference = new Member(inOneGo);
    const members = sizes.map((slice) => new Member(slice));
    for (const command of sequence) {
      const expected = reference.run(command);
      for (const member of members) expect(member.run(command)).toEqual(expected);
    }
    for (const member of members) {
      expect(member.backend.records).toEqual(reference.backend.records);
    }
  });
  fc.assert(property, { numRuns: 25 * depth });
});

test.each(sizes)('slices of $limit records, $bytesMax bytes -> as many as it takes', (slice) => {
  const member = new Member(slice);
  member.run({ op: 'lease-grant', id: 7n, ttlSeconds: 60 });
  for (let n = 0; n < 10; n += 1) {
    member.run({ op: 'put', key: `k${n}`, value: new Uint8Array(100), lease: 7n });
  }
  const records = 10;
  const perSlice = Math.min(slice.limit, Math.ceil(slice.bytesMax / 160));
  const least = Math.ceil(records / perSlice);
  for (const command of [
    { op: 'delete', keys: { gte: 'k0', lt: 'k5' } },
    { op: 'lease-revoke', id: 7n },
  ] as const) {
    member.run(command);
  }
  expect(member.slicesMax).toBeGreaterThanOrEqual(Math.min(least / 2, 5));
  expect([...member.backend.records.keys()].filter((key) => /^[acl]/.test(key))).toEqual([]);
});
