// Every limit of the keyspace at one below, at it and one above, and keys and values that are legal and odd.
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { type Command, checkCommand, type Operation, WatchHub } from '../../src/mvcc/index.js';
import { plain } from './driven-keyspace.js';
import { ReferenceModel } from './reference-model.js';
import { SortedBackend } from './sorted-backend.js';

const one = (key: string) => ({ gte: key, lt: `${key}\0` });
const get = (key: string): Operation => ({ op: 'range', keys: one(key) });
const txn = (success: Operation[], failure: Operation[] = []): Operation & { op: 'txn' } => {
  return { op: 'txn', compares: [], success, failure };
};
const gets = (count: number): Operation[] => Array.from({ length: count }, (_, n) => get(`k${n}`));
const most = limits.transactionOperationsMax;

const codeOf = (command: Command): unknown => {
  try {
    checkCommand(command);
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

describe('operations of a transaction', () => {
  test.each([
    [most - 1, undefined],
    [most, undefined],
    [most + 1, 'TOO_MANY_OPERATIONS'],
  ])('%i in either branch or of compares -> %s', (count, code) => {
    const compare = { keys: one('a'), result: 'equal', target: 'version', operand: 1 } as const;
    const compares = new Array(count).fill(compare);
    expect(codeOf(txn(gets(count)))).toBe(code);
    expect(codeOf(txn([], gets(count)))).toBe(code);
    expect(codeOf({ ...txn([]), compares })).toBe(code);
  });

  test.each([
    [63, undefined],
    [64, undefined],
    [65, 'TOO_MANY_OPERATIONS'],
  ])('%i inside one of 64: together at most 128 -> %s', (inner, code) => {
    const around = gets(63);
    expect(codeOf(txn([...around, txn(gets(inner))]))).toBe(code);
    expect(codeOf(txn([], [...around, txn([], gets(inner))]))).toBe(code);
    // Each of several gets the same remainder.
    const several = [...gets(62), txn(gets(inner)), txn(gets(inner))];
    expect(codeOf(txn(several))).toBe(code);
  });

  test.each([
    [most - 1, undefined],
    [most, undefined],
    [most + 1, 'TOO_MANY_OPERATIONS'],
    [100_000, 'TOO_MANY_OPERATIONS'],
  ])('an empty one inside %i others -> %s', (depth, code) => {
    let command = txn([]);
    for (let level = 0; level < depth; level += 1) command = txn([command]);
    expect(codeOf(command)).toBe(code);
  });

  test('the limit is the proposer’s alone: what is in the log is executed', () => {
    const backend = new SortedBackend();
    const puts = gets(most + 1).map((_, n) => ({
      ...{ op: 'put' as const, key: `k${n}`, value: new Uint8Array(1) },
    }));
    const [execution] = backend.run(backend.open(), [txn(puts)]);
    expect(execution!.result).toMatchObject({ succeeded: true, revision: 2 });
  });
});

describe('numbers', () => {
  const range = (fields: object): Command =>
    txn([{ op: 'range', keys: one('a'), ...fields } as Operation]);
  const compare = (fields: object): Command =>
    ({
      ...txn([]),
      compares: [{ keys: one('a'), result: 'equal', ...fields }],
    }) as unknown as Command;
  const max = Number.MAX_SAFE_INTEGER;
  const names = ['limit', 'revision', 'minModRevision', 'maxModRevision'];

  test.each([...names, 'minCreateRevision', 'maxCreateRevision'])('%s: 1 to 2^53 - 1', (name) => {
    for (const value of [1, 2, max - 1, max])
      expect(codeOf(range({ [name]: value }))).toBeUndefined();
    for (const value of [0, -1, max + 1, 0.5, Number.NaN, Infinity]) {
      expect(codeOf(range({ [name]: value }))).toBe('ARGUMENT_INVALID');
    }
  });

  test('revision of a compaction: 1 to 2^53 - 1', () => {
    for (const revision of [1, max]) expect(codeOf({ op: 'compact', revision })).toBeUndefined();
    for (const revision of [0, max + 1, 1.5]) {
      expect(codeOf({ op: 'compact', revision })).toBe('ARGUMENT_INVALID');
    }
  });

  test('operands: any safe integer, any int64', () => {
    for (const operand of [-max, -1, 0, max]) {
      expect(codeOf(compare({ target: 'version', operand }))).toBeUndefined();
    }
    for (const operand of [-max - 1, max + 1, 0.5]) {
      expect(codeOf(compare({ target: 'version', operand }))).toBe('ARGUMENT_INVALID');
    }
    for (const operand of [-(2n ** 63n), 2n ** 63n - 1n]) {
      expect(codeOf(compare({ target: 'lease', operand }))).toBeUndefined();
    }
    for (const operand of [-(2n ** 63n) - 1n, 2n ** 63n]) {
      expect(codeOf(compare({ target: 'lease', operand }))).toBe('ARGUMENT_INVALID');
    }
  });

  test.each([
    ['an unknown sort target', { sort: { target: 'lease', order: 'ascend' } }],
    ['an unknown order', { sort: { target: 'key', order: 'none' } }],
    ['a sort named like a property of objects', { sort: { target: '__proto__', order: 'ascend' } }],
  ])('%s -> ARGUMENT_INVALID', (_name, fields) => {
    expect(codeOf(range(fields))).toBe('ARGUMENT_INVALID');
  });

  test.each([
    ['a value beside ignoreValue', { ignoreValue: true, value: Uint8Array.of(1) }],
    ['a lease beside ignoreLease', { ignoreLease: true, lease: 5n }],
  ])('%s -> ARGUMENT_INVALID', (_name, fields) => {
    const put = { op: 'put', key: 'a', value: new Uint8Array(0), ...fields } as Command;
    expect(codeOf(put)).toBe('ARGUMENT_INVALID');
  });
});

describe('leases', () => {
  const most = limits.leaseTtlSecondsMax;
  const grant = (id: bigint, ttlSeconds = 60): Command => ({ op: 'lease-grant', id, ttlSeconds });

  test.each([
    [0, 'ARGUMENT_INVALID'],
    [1, undefined],
    [2, undefined],
    [most - 1, undefined],
    [most, undefined],
    [most + 1, 'ARGUMENT_INVALID'],
  ])('a TTL of %i seconds -> %s', (ttlSeconds, code) => {
    expect(codeOf(grant(1n, ttlSeconds))).toBe(code);
  });

  test.each([
    [-(2n ** 63n) - 1n, 'ARGUMENT_INVALID'],
    [-(2n ** 63n), undefined],
    [-1n, undefined],
    [0n, 'ARGUMENT_INVALID'],
    [1n, undefined],
    [2n ** 63n - 1n, undefined],
    [2n ** 63n, 'ARGUMENT_INVALID'],
  ])('id %i -> %s', (id, code) => {
    expect(codeOf(grant(id))).toBe(code);
    expect(codeOf({ op: 'lease-revoke', id })).toBe(code);
  });
});

describe('queues of watchers', () => {
  test.each([
    [7, false],
    [8, false],
    [9, true],
  ])('a revision of %i events beside a queue of 8: left to history %s', (count, isBehind) => {
    const hub = new WatchHub({ revision: 1, compactRevision: 0, eventsMax: 8 });
    const watcher = hub.watch({ keys: { gte: '' } });
    const eventAt = (sub: number) => ({
      type: 'delete' as const,
      key: `k${sub}`,
      revision: 2,
      sub,
    });
    hub.notify(
      2,
      Array.from({ length: count }, (_, sub) => eventAt(sub)),
    );
    expect(watcher.isBehind).toBe(isBehind);
    expect(watcher.take()?.[0]?.events.length).toBe(isBehind ? undefined : count);
  });
});

describe('odd keys and values', () => {
  const everyByte = Array.from({ length: 256 }, (_, unit) => String.fromCharCode(unit));
  const names = [
    ...everyByte,
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', everyByte.join('')],
    ...['\0\0', '\0\xff', '\0\0\xff', '\xff\xff', '\xff\xff\xff', '\xff\0', 'm', 'p', 'ca'],
    'x'.repeat(5_000),
  ];
  const values = [
    new Uint8Array(0),
    Uint8Array.from({ length: 256 }, (_, unit) => unit),
    new Uint8Array(64).fill(0xff),
  ];

  test('each put, overwritten, compared, deleted and read at every revision: like the model', () => {
    const backend = new SortedBackend();
    const keyspace = backend.open();
    const model = new ReferenceModel();
    const run = (command: Command): void => {
      const [execution] = backend.run(keyspace, [command]);
      const { answer, events } = model.execute(command);
      expect(plain(execution!.result)).toEqual(answer);
      expect(execution!.events).toEqual(events);
    };
    names.forEach((key, nth) => {
      run({ op: 'put', key, value: values[nth % 3]! });
      if (nth % 4 === 0) run({ op: 'put', key, value: values[0]! });
      if (nth % 5 === 0) run({ op: 'delete', keys: one(key), previous: true });
    });
    run({ op: 'delete', keys: { gte: '\xfe', lt: '\xff\xff' } });
    run({ op: 'compact', revision: 150 });
    let query = keyspace.compactionSlice(32);
    while (query !== undefined) {
      backend.apply(keyspace.finishSlice(backend.answer(query)));
      query = keyspace.compactionSlice(32);
    }
    for (let revision = 150; revision <= model.revision; revision += 90) {
      for (const keys of [{ gte: '' }, { gte: '\xff' }, { gte: '\0', lt: '\0\0\xff' }]) {
        const operation = { op: 'range', keys, revision } as const;
        expect(backend.answer(keyspace.rangeQuery(operation))).toEqual(model.range(operation));
      }
    }
  });

  test('a key and a value as large as a request: kept, closed and read back whole', () => {
    const backend = new SortedBackend();
    const keyspace = backend.open();
    const key = '\xff'.repeat(limits.requestBytesMax);
    const value = new Uint8Array(limits.requestBytesMax).fill(7);
    backend.run(keyspace, [
      { op: 'put', key, value },
      { op: 'put', key: 'a', value },
    ]);
    backend.run(keyspace, [{ op: 'delete', keys: { gte: '' } }]);
    const operation = { op: 'range', keys: { gte: '' }, revision: 3 } as const;
    const { kvs } = backend.answer(keyspace.rangeQuery(operation));
    expect(kvs.map((kv) => kv.key === key)).toEqual([false, true]);
    for (const kv of kvs) expect(Buffer.compare(kv.value, value)).toBe(0);
  });
});
