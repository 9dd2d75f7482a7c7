// The cache of current versions against the keyspace without it: reads that overlap with commands,
// stay unanswered for a while, and are answered in any order must say the same as if nothing was kept.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import type { Command, Query, RangeOperation, RangeResult, ReadSet } from '../../src/mvcc/index.js';
import { type Keyspace, VersionCache } from '../../src/mvcc/index.js';
import { commands, ranges } from './command-arbitraries.js';
import { depth } from './depth.js';
import { SortedBackend } from './sorted-backend.js';

type Answer = RangeResult | string;

/** A keyspace with a cache before it, and reads under way. */
class CachedKeyspace {
  readonly backend = new SortedBackend();
  readonly keyspace: Keyspace = this.backend.open();
  readonly cache: VersionCache;
  readonly #open: { query: Query<RangeResult>; reads: ReadSet; expected: Answer }[] = [];
  /** Reads that needed no record. */
  hits = 0;

  constructor(bytesMax?: number) {
    this.cache = new VersionCache(this.keyspace, bytesMax);
  }

  /** @param isLarge - its events are not gone through */
  apply(batch: readonly Command[], isLarge = false): void {
    const executions = this.backend.run(this.keyspace, batch);
    if (isLarge) this.cache.clear();
    else for (const { events } of executions) this.cache.notify(events);
  }

  /** Begins a read and looks at the records; what it makes of them, `settle` sees. */
  read(operation: RangeOperation): void {
    const expected = this.#answer(() => this.backend.answer(this.keyspace.rangeQuery(operation)));
    let query: Query<RangeResult>;
    try {
      query = this.cache.rangeQuery(operation);
    } catch (error) {
      expect(codeOf(error)).toEqual(expected);
      return;
    }
    if (query.done) {
      this.hits += 1;
      expect(query.result).toEqual(expected);
    } else {
      this.#open.push({ query, reads: this.backend.read(query.plan), expected });
    }
  }

  /** Ends one of the reads under way. */
  settle(nth: number): void {
    const [read] = this.#open.splice(nth % Math.max(1, this.#open.length), 1);
    if (read === undefined) return;
    const { query, reads, expected } = read;
    const found = this.#answer(() => {
      const next = query.done ? query : query.next(reads);
      return this.backend.answer(next);
    });
    // Of an old revision, which a compaction may have taken meanwhile.
    if (found !== 'COMPACTED') expect(found).toEqual(expected);
  }

  #answer(read: () => RangeResult): Answer {
    try {
      return read();
    } catch (error) {
      return codeOf(error);
    }
  }
}

function codeOf(error: unknown): string {
  if (!isKontikiError(error)) throw error;
  return error.code;
}

/** Mostly of the latest revision and of few ranges: those that can be kept, asked for again. */
const reads = fc.oneof(
  { weight: 1, arbitrary: ranges },
  {
    weight: 3,
    arbitrary: fc.tuple(ranges, fc.boolean()).map(([{ keys, limit, count, sort }, isPlain]) => {
      const plain: RangeOperation = { op: 'range', keys, limit };
      return isPlain ? plain : { ...plain, count, sort };
    }),
  },
);
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.array(commands, { maxLength: 3 }), fc.integer({ min: 0, max: 9 }))
      .map(([batch, dice]) => ({ do: 'apply', batch, isLarge: dice === 0 }) as const),
  },
  { weight: 8, arbitrary: reads.map((operation) => ({ do: 'read', operation }) as const) },
  { weight: 8, arbitrary: fc.nat({ max: 9 }).map((nth) => ({ do: 'settle', nth }) as const) },
);

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const put = (key: string, value = key): Command => ({ op: 'put', key, value: text(value) });
const range = (gte: string, lt: string, limit?: number): RangeOperation => {
  return { op: 'range', keys: { gte, lt }, ...(limit !== undefined && { limit }) };
};

describe('cache of versions', () => {
  test('random commands and overlapping reads -> every answer is that of the records', () => {
    let hits = 0;
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }),
        fc.constantFrom(0, 3_000, 12_000, undefined),
        (steps, bytesMax) => {
          const world = new CachedKeyspace(bytesMax);
          for (const each of steps) {
            if (each.do === 'apply') world.apply(each.batch, each.isLarge);
            else if (each.do === 'read') world.read(each.operation);
            else world.settle(each.nth);
            expect(world.cache.bytes).toBeLessThanOrEqual(bytesMax ?? Number.POSITIVE_INFINITY);
          }
          hits += world.hits;
        },
      ),
      { numRuns: 500 * depth },
    );
    expect(hits).toBeGreaterThan(500 * depth);
  });

  test('a key that was read -> again without a record, with the same answer', () => {
    const world = new CachedKeyspace();
    world.apply([put('a')]);
    for (let nth = 0; nth < 3; nth += 1) {
      world.read(range('a', 'a\0'));
      world.settle(0);
    }
    expect(world.hits).toBe(2);
  });

  test('a range with a limit -> parts of it, and the same again, without a record', () => {
    const world = new CachedKeyspace();
    world.apply(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => put(key)));
    world.read(range('a', 'z', 3));
    world.settle(0);
    world.read(range('a', 'z', 3));
    world.read(range('b', 'z', 2));
    world.read(range('a', 'd'));
    expect(world.hits).toBe(3);
    world.read(range('a', 'f'));
    world.settle(0);
    world.apply([put('bb'), { op: 'delete', keys: { gte: 'c', lt: 'c\0' } }]);
    world.read(range('a', 'f'));
    expect(world.hits).toBe(4);
  });

  test('a read that a change overtook -> answered as of its time, and not kept', () => {
    const world = new CachedKeyspace();
    world.apply([put('a'), put('b')]);
    world.read(range('a', 'a\0'));
    world.read(range('a', 'z'));
    world.apply([put('a', 'newer')]);
    world.settle(0);
    world.settle(0);
    world.read(range('a', 'a\0'));
    world.read(range('a', 'z'));
    expect(world.hits).toBe(0);
  });

  test('a read that a large revision overtook -> not kept', () => {
    const world = new CachedKeyspace();
    world.apply([put('a')]);
    world.read(range('a', 'a\0'));
    world.apply([put('a', 'newer')], true);
    world.settle(0);
    world.read(range('a', 'a\0'));
    expect(world.hits).toBe(0);
  });

  test('a range from its high end -> only when all of it is known', () => {
    const world = new CachedKeyspace();
    world.apply(['a', 'b', 'c', 'd'].map((key) => put(key)));
    const last: RangeOperation = {
      ...range('a', 'z', 1),
      sort: { target: 'key', order: 'descend' },
    };
    world.read(range('a', 'z', 2));
    world.settle(0);
    world.read(last);
    expect(world.hits).toBe(0);
    world.read(range('a', 'z'));
    world.settle(1);
    world.read(last);
    expect(world.hits).toBe(1);
  });

  test('a read that more changes overtook than are remembered -> not kept', () => {
    const world = new CachedKeyspace();
    world.apply([put('a')]);
    world.read(range('a', 'a\0'));
    for (let nth = 0; nth < 1_025; nth += 1) world.apply([put('other', String(nth))]);
    world.settle(0);
    world.read(range('a', 'a\0'));
    expect(world.hits).toBe(0);
  });

  test('thousands of keys and ranges read -> never more bytes than allowed, and some are kept', () => {
    const bytesMax = 200_000;
    const world = new CachedKeyspace(bytesMax);
    const keys = Array.from({ length: 500 }, (_, nth) => `key-${nth}`);
    world.apply(keys.map((key) => put(key, 'x'.repeat(100))));
    for (let nth = 0; nth < 2_000; nth += 1) {
      const key = keys[nth % 3 === 0 ? nth % 8 : (nth * 7) % keys.length] as string;
      world.read(nth % 10 === 0 ? range(key, 'z', 3) : range(key, `${key}\0`));
      world.settle(0);
      expect(world.cache.bytes).toBeLessThanOrEqual(bytesMax);
    }
    expect(world.cache.bytes).toBeGreaterThan(bytesMax / 4);
    expect(world.hits).toBeGreaterThan(100);
  });

  test('a value in a large buffer -> a range keeps its own bytes only', () => {
    const world = new CachedKeyspace();
    world.apply([put('a')]);
    world.read(range('a', 'z'));
    world.settle(0);
    const large = new Uint8Array(1 << 20);
    world.apply([{ op: 'put', key: 'b', value: large.subarray(5, 8) }]);
    const query = world.cache.rangeQuery(range('a', 'z'));
    expect(query.done && query.result.kvs.map((kv) => kv.key)).toEqual(['a', 'b']);
    expect(query.done && query.result.kvs[1]?.value.buffer.byteLength).toBe(3);
  });

  test('versions whose records share a block -> what is kept has its own bytes', () => {
    const world = new CachedKeyspace();
    world.apply(['a', 'b', 'c'].map((key) => put(key)));
    const record = world.backend.records.get('ca');
    expect(record?.buffer.byteLength).toBeGreaterThan(1_024);
    for (const asked of [range('a', 'a\0'), range('a', 'z')]) {
      world.read(asked);
      world.settle(0);
      const query = world.cache.rangeQuery(asked);
      for (const { value } of query.done ? query.result.kvs : []) {
        expect(value.buffer.byteLength).toBe(value.byteLength);
      }
      expect(query.done && query.result.kvs.length).toBeGreaterThan(0);
    }
  });
});
