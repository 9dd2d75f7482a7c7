// What one fetch and one turn of a transaction take is bounded, however many operations it names, and so
// is what it reads altogether.
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { checkCommand } from '../../src/mvcc/command-check.js';
import {
  type Compare,
  type KeyEvent,
  type KeySelection,
  type Operation,
  type OperationResult,
  type ReadPlan,
  type ReadSet,
  segmentsOf,
  type TxnCommand,
  type TxnResult,
} from '../../src/mvcc/index.js';
import { SortedBackend } from './sorted-backend.js';

const count = 2_000;
const slice = limits.applySliceRecords;
const all = { gte: 'k', lt: 'l' };
const name = (nth: number): string => `k${String(nth).padStart(5, '0')}`;
const single = (key: string): KeySelection => ({ gte: key, lt: `${key}\0` });
const times = <T>(length: number, make: (nth: number) => T): T[] =>
  Array.from({ length }, (_, nth) => make(nth));
const txn = (success: Operation[], failure: Operation[] = []): Operation & TxnCommand => {
  return { op: 'txn', compares: [], success, failure };
};
/** As many as are asked for, in transactions of 32 each, in one, in one: within the limit of each. */
const many = (length: number, make: (nth: number) => Operation): TxnCommand => {
  const inner = times(Math.ceil(length / 32), (at) => {
    return txn(times(Math.min(32, length - 32 * at), (nth) => make(32 * at + nth)));
  });
  return txn(times(Math.ceil(inner.length / 64), (at) => txn(inner.slice(64 * at, 64 * at + 64))));
};
const remove: Operation = { op: 'delete', keys: all };

/** What a transaction over `count` keys took. */
class Taken {
  readonly events: KeyEvent[] = [];
  result!: TxnResult;
  fetches = 0;
  /** Records of ranges and single ones. */
  records = 0;
  mostRecords = 0;
  mostEvents = 0;
  /** Taken before the end. */
  slices = 0;

  constructor(command: TxnCommand) {
    checkCommand(command);
    const backend = new SortedBackend();
    const keyspace = backend.open();
    const value = new Uint8Array(1);
    for (let at = 0; at < count; at += 1) {
      backend.run(keyspace, [{ op: 'put', key: name(at), value }]);
    }
    for (const segment of segmentsOf(keyspace, [command])) {
      let plan: ReadPlan | undefined = segment.plan;
      while (plan !== undefined) {
        const reads = backend.read(plan);
        this.#fetched(reads);
        plan = segment.supply(reads);
        const part = plan === undefined ? undefined : segment.takeSlice();
        if (part === undefined) continue;
        this.slices += 1;
        this.#turned(part.events);
      }
      const [execution] = segment.execute().executions;
      this.#turned(execution!.events);
      this.result = execution!.result as TxnResult;
    }
  }

  /** The results of all operations, those of inner transactions in the place of these. */
  get results(): OperationResult[] {
    const flat = (results: readonly OperationResult[]): OperationResult[] =>
      results.flatMap((each) => (each.op === 'txn' ? flat(each.results) : [each]));
    return flat(this.result.results);
  }

  #fetched({ records, ranges }: ReadSet): void {
    const read = ranges.reduce((sum, range) => sum + range.length, records.length);
    if (read > 0) this.fetches += 1;
    this.records += read;
    this.mostRecords = Math.max(this.mostRecords, read);
  }

  #turned(events: readonly KeyEvent[]): void {
    this.mostEvents = Math.max(this.mostEvents, events.length);
    this.events.push(...events);
  }
}

describe('what a transaction reads', () => {
  test('128 deletes of the same range in each branch -> each key is read once, a slice at a time', () => {
    const deletes = times(limits.transactionOperationsMax, () => remove);
    const taken = new Taken(txn(deletes, deletes));
    expect(taken.mostRecords).toBeLessThanOrEqual(slice);
    expect(taken.records).toBe(count);
    expect(taken.events).toHaveLength(count);
    expect(taken.results.slice(0, 2)).toMatchObject([{ deleted: count }, { deleted: 0 }]);
  });

  test('4,096 deletes, nested, in a request of 30 KB -> each key is read once', () => {
    const taken = new Taken(many(4_096, () => remove));
    expect(taken.mostRecords).toBeLessThanOrEqual(slice);
    expect(taken.records).toBe(count);
  });

  test('deletes that each reach further down than the one before -> each key is read once', () => {
    const reach = (nth: number): Operation => {
      return { op: 'delete', keys: { gte: name(count - 1 - 15 * nth), lt: 'l' } };
    };
    const taken = new Taken(txn(times(100, reach)));
    expect(taken.events).toHaveLength(15 * 99 + 1);
    expect(taken.records).toBe(15 * 99 + 1);
  });

  test('a delete around one key that others left over -> it is read and deleted', () => {
    const left = name(1_000);
    const parts = [
      { gte: 'k', lt: left },
      { gte: `${left}\0`, lt: 'l' },
    ];
    const deletes = [...parts, all].map((keys): Operation => ({ op: 'delete', keys }));
    const taken = new Taken(txn(deletes));
    expect(taken.results).toMatchObject([{ deleted: 1_000 }, { deleted: 999 }, { deleted: 1 }]);
    expect(taken.records).toBe(count);
  });

  test('128 compares of all keys -> a slice at a time, and none behind the one that fails', () => {
    const compare = (operand: number): Compare => {
      return { keys: all, target: 'version', result: 'greater', operand };
    };
    const compares = times(limits.transactionOperationsMax, (nth) => compare(nth < 3 ? 0 : 1));
    const taken = new Taken({ ...txn([remove], [remove]), compares });
    expect(taken.result.succeeded).toBe(false);
    expect(taken.mostRecords).toBeLessThanOrEqual(slice);
    expect(taken.records).toBe(3 * count + slice + count);
  });

  test('counts, filters and limits beside each other -> a slice at a time', () => {
    const ranges: Operation[] = [
      { op: 'range', keys: all, countOnly: true },
      { op: 'range', keys: all, limit: 2, count: true },
      { op: 'range', keys: all, limit: 2, minModRevision: count },
      { op: 'range', keys: all, keysOnly: true },
    ];
    const taken = new Taken(txn([...ranges, { op: 'put', key: 'z', value: new Uint8Array(1) }]));
    expect(taken.mostRecords).toBeLessThanOrEqual(slice);
    expect(taken.results).toMatchObject([
      { count, kvs: [] },
      { count, kvs: [{ key: name(0) }, { key: name(1) }], more: true },
      { kvs: [{ key: name(count - 2) }, { key: name(count - 1) }], more: false },
      { more: false },
      { op: 'put' },
    ]);
  });

  test('a limit beside a delete that takes nothing of it -> one record more than the limit', () => {
    const first: Operation = { op: 'range', keys: all, limit: 1 };
    const taken = new Taken(txn([{ op: 'delete', keys: { gte: 'x', lt: 'y' } }, first]));
    expect(taken.records).toBe(2);
    expect(taken.results).toMatchObject([{ deleted: 0 }, { kvs: [{ key: name(0) }], more: true }]);
  });

  test.each([
    ['ascend', { gte: 'k', lt: name(1_900) }, 1_900],
    ['descend', { gte: name(100), lt: 'l' }, 99],
  ] as const)(
    'a limit behind much that was deleted, %s -> what was deleted is passed over',
    (order, keys, at) => {
      const sort = { target: 'key', order } as const;
      const first: Operation = { op: 'range', keys: all, limit: 1, sort };
      const taken = new Taken(txn([{ op: 'delete', keys }, first]));
      expect(taken.results[1]).toMatchObject({ kvs: [{ key: name(at) }], more: true });
      expect(taken.records).toBeLessThanOrEqual(1_900 + 10);
    },
  );

  test('the same keys answered by many ranges -> their versions are kept once', () => {
    const taken = new Taken(many(20, () => ({ op: 'range', keys: all })));
    const kept = new Set(taken.results.flatMap((each) => (each.op === 'range' ? each.kvs : [])));
    expect(kept.size).toBe(count);
  });

  test('the same keys answered by many ranges without their values -> they are kept once, too', () => {
    const taken = new Taken(many(20, () => ({ op: 'range', keys: all, keysOnly: true })));
    const kept = new Set(taken.results.flatMap((each) => (each.op === 'range' ? each.kvs : [])));
    expect(kept.size).toBe(count);
  });

  test('the same keys answered at two revisions in turn -> two versions of one key are kept, not one per range', () => {
    const changed = { gte: name(0), lt: name(1) };
    const put: Operation = { op: 'put', key: name(0), value: Uint8Array.of(9) };
    // The latest, with the put of this very transaction, and the one before.
    const ranges = many(20, (nth) => ({
      ...{ op: 'range', keys: changed },
      revision: nth % 2 === 0 ? undefined : count + 1,
    }));
    const taken = new Taken(txn([put, ranges]));
    const kept = new Set(taken.results.flatMap((each) => (each.op === 'range' ? each.kvs : [])));
    expect(kept.size).toBe(2);
  });

  test('ranges behind thousands of puts -> each looks at a few of them, not at all', () => {
    let looks = 0;
    const puts = many(count, (nth) => ({
      op: 'put',
      key: `p${name(nth)}`,
      value: new Uint8Array(1),
    }));
    const ranges = many(count, () => {
      const keys: KeySelection = {
        get gte() {
          looks += 1;
          return 'p';
        },
        lt: 'q',
      };
      return { op: 'range', keys, limit: 1 };
    });
    const taken = new Taken(txn([puts, ranges]));
    expect(taken.results.at(-1)).toMatchObject({ kvs: [{ key: `p${name(0)}` }], more: true });
    expect(looks).toBeLessThan(40 * count);
  });

  test('ranges behind thousands of keys deleted one by one -> what is gone is walked over once', () => {
    const deletes = many(count, (nth) => ({ op: 'delete', keys: single(name(nth)) }));
    const firsts = many(200, () => ({ op: 'range', keys: all, limit: 1 }));
    const taken = new Taken(txn([deletes, firsts]));
    expect(taken.results.at(-1)).toMatchObject({ kvs: [], more: false });
    expect(taken.records).toBeLessThan(3 * count);
  });

  test('a key before and after a put in the same transaction -> each answer has its own version', () => {
    const keys = { gte: name(5), lt: name(7) };
    const put: Operation = { op: 'put', key: name(6), value: Uint8Array.of(9) };
    const range: Operation = { op: 'range', keys };
    const taken = new Taken(txn([range, put, range, { ...range, revision: count + 1 }]));
    const versions = taken.results.flatMap((each) => {
      return each.op === 'range' ? [each.kvs.map(({ modRevision }) => modRevision)] : [];
    });
    const before = [7, 8];
    expect(versions).toEqual([before, [7, count + 2], before]);
  });

  test('one key named by thousands of operations -> it is read once', () => {
    const taken = new Taken(many(4_096, () => ({ op: 'delete', keys: single(name(7)) })));
    expect(taken.records).toBe(1);
    expect(taken.events).toHaveLength(1);
  });
});

describe('what a turn of a transaction changes', () => {
  test('a few changes among reads of very much -> nothing is put aside', () => {
    const put: Operation = { op: 'put', key: 'z', value: new Uint8Array(1) };
    const few: Operation = { op: 'delete', keys: { gte: 'k', lt: name(9) } };
    const range: Operation = { op: 'range', keys: all };
    const taken = new Taken(txn([put, range, few, range]));
    expect(taken.mostRecords).toBeLessThanOrEqual(slice);
    expect(taken.slices).toBe(0);
    expect(taken.events).toHaveLength(10);
  });

  test.each([
    ['deletes', (nth: number): Operation => ({ op: 'delete', keys: single(name(nth)) })],
    ['puts', (nth: number): Operation => ({ op: 'put', key: name(nth), value: new Uint8Array(1) })],
  ])('%s of thousands of single keys -> a slice', (_, make) => {
    const taken = new Taken(many(count, make));
    expect(taken.events).toHaveLength(count);
    expect(taken.mostEvents).toBeLessThanOrEqual(slice);
  });

  test('deletes of thousands of single keys -> each is looked at a few times, not once by each', () => {
    let looks = 0;
    const counted = (nth: number): Operation => {
      const { gte, lt } = single(name(nth));
      const keys: KeySelection = {
        get gte() {
          looks += 1;
          return gte;
        },
        lt,
      };
      return { op: 'delete', keys };
    };
    const taken = new Taken(many(count, counted));
    expect(taken.events).toHaveLength(count);
    expect(looks).toBeLessThan(40 * count);
  });
});
