// What reads at old revisions hold and fetch: a count, or a page with a count, needs no values, however large.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { Command, Keyspace, RangeOperation, ReadPlan, ReadSet } from '../../src/mvcc/index.js';
import { SortedBackend } from './sorted-backend.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const name = (nth: number): string => `key${String(nth).padStart(6, '0')}`;
const MiB = 1024 * 1024;
const all = { gte: '', lt: undefined };

/** Hands out copies of its records, and knows which of them somebody still has. */
class Weighed {
  readonly backend = new SortedBackend();
  readonly keyspace: Keyspace = this.backend.open();
  readonly #copies: WeakRef<ArrayBuffer>[] = [];
  largestFetch = 0;

  put(count: number, value: Uint8Array): void {
    const puts = Array.from({ length: count }, (_, nth): Command => {
      return { op: 'put', key: name(nth), value };
    });
    this.backend.run(this.keyspace, puts);
  }

  /** The most bytes that were held between two fetches. */
  async held(operation: RangeOperation): Promise<number> {
    let most = 0;
    let query = this.keyspace.rangeQuery(operation);
    while (!query.done) {
      query = query.next(this.#read(query.plan));
      // Weak references hold until the end of the turn.
      await new Promise((resolve) => setTimeout(resolve, 1));
      gc();
      let now = 0;
      for (const ref of this.#copies) now += ref.deref()?.byteLength ?? 0;
      if (!query.done) most = Math.max(most, now);
    }
    return most;
  }

  #read(plan: ReadPlan): ReadSet {
    let bytes = 0;
    const own = (record: Uint8Array): Uint8Array => {
      const copy = new Uint8Array(record);
      this.#copies.push(new WeakRef(copy.buffer));
      bytes += copy.length;
      return copy;
    };
    const { records, ranges } = this.backend.read(plan);
    const reads = {
      records: records.map((each) => each && own(each)),
      ranges: ranges.map((range, at) => {
        const { bytesMax = Infinity } = plan.ranges[at] ?? {};
        let sum = 0;
        const within = range.filter(([, each]) => {
          const isIn = sum < bytesMax;
          sum += each.length;
          return isIn;
        });
        return within.map(([key, each]) => [key, own(each)] as const);
      }),
    };
    this.largestFetch = Math.max(this.largestFetch, bytes);
    return reads;
  }
}

test.each<[string, Partial<RangeOperation>]>([
  ['a count', { countOnly: true }],
  ['a page with the count', { limit: 2, count: true }],
  ['the last key', { limit: 1, sort: { target: 'key', order: 'descend' } }],
])('%s at an old revision -> holds no values that it does not show', async (_what, shape) => {
  const world = new Weighed();
  world.put(5_000, new Uint8Array(10_000));
  const { revision } = world.keyspace;
  const held = await world.held({ op: 'range', keys: all, ...shape, revision });
  expect(held).toBeLessThan(10 * MiB);
});

test('a count at an old revision over large values -> no fetch of hundreds of MiB', async () => {
  const world = new Weighed();
  world.put(400, new Uint8Array(500_000));
  const { revision } = world.keyspace;
  await world.held({ op: 'range', keys: all, countOnly: true, revision });
  expect(world.largestFetch).toBeLessThan(20 * MiB);
});

/** Reads everything as it is now, by the way of old revisions; how many current and closed records were read. */
function readWith(versions: readonly number[]) {
  const { backend, keyspace } = new Weighed();
  const rounds = Math.max(...versions);
  for (let round = 0; round < rounds; round += 1) {
    const puts = versions.flatMap((count, at): Command[] => {
      return round < count ? [{ op: 'put', key: name(at), value: new Uint8Array(1) }] : [];
    });
    backend.run(keyspace, puts);
  }
  const sorted = [...backend.records.keys()].sort((a, b) => (a < b ? -1 : 1));
  const read = { current: 0, closed: 0, parts: 0 };
  let query = keyspace.rangeQuery({ op: 'range', keys: all, revision: keyspace.revision });
  while (!query.done) {
    const { plan } = query;
    const ranges = plan.ranges.map(({ gte, lt, limit = Infinity, reverse }) => {
      const selected = sorted.slice(lowerBound(sorted, gte), lowerBound(sorted, lt));
      if (reverse) selected.reverse();
      const found = selected.slice(0, limit);
      read[gte.startsWith('c') ? 'current' : 'closed'] += found.length;
      return found.map((key) => [key, backend.records.get(key) as Uint8Array] as const);
    });
    read.parts += 1;
    query = query.next({ records: plan.keys.map((key) => backend.records.get(key)), ranges });
  }
  expect(query.result.kvs.map(({ version }) => version)).toEqual(versions);
  return read;
}

function lowerBound(sorted: readonly string[], key: string): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((sorted[middle] as string) < key) from = middle + 1;
    else to = middle;
  }
  return from;
}

test('keys of many versions each -> what is read is in proportion to what there is', () => {
  const { current, closed } = readWith(Array.from({ length: 200 }, () => 1_100));
  expect(current).toBeLessThan(20 * 200);
  expect(closed).toBeLessThan(80 * 200);
});

test('keys of some versions each, or one of many among them -> parts stay large', () => {
  expect(readWith(Array.from({ length: 2_000 }, () => 4)).parts).toBeLessThan(12);
  expect(readWith(Array.from({ length: 2_000 }, () => 11)).parts).toBeLessThan(30);
  const mixed = Array.from({ length: 2_000 }, (_, at) => (at % 500 === 0 ? 1_500 : 1));
  expect(readWith(mixed).parts).toBeLessThan(30);
});
