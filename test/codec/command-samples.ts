/** One command of every op and shape, and a generator of lawful ones. */
import fc from 'fast-check';
import type { CommandEnvelope } from '../../src/codec/command-envelope.js';
import type { Command, Compare, Operation, RangeOperation } from '../../src/mvcc/types.js';

const request = { session: 2 ** 52 + 1, seq: 300, doneBelow: 299 };
const value = Uint8Array.of(0, 1, 254, 255);
const one = (text: string) => ({ gte: text, lt: `${text}\0` });
const everyByte = String.fromCharCode(...Array.from({ length: 256 }, (_, unit) => unit));

const keeping = {
  op: 'put',
  ...{ key: 'a', value: Uint8Array.of(), lease: undefined },
  ...{ ignoreValue: undefined, ignoreLease: undefined, previous: undefined },
} as const;

const commands: Readonly<Record<string, Command>> = {
  put: { op: 'put', key: 'a', value, lease: undefined },
  'put with a lease': { op: 'put', key: everyByte, value, lease: -(2n ** 63n) },
  'put of nothing': { op: 'put', key: '', value: Uint8Array.of(), lease: 2n ** 63n - 1n },
  delete: { op: 'delete', keys: { gte: 'a', lt: 'a\0' } },
  'delete from': { op: 'delete', keys: { gte: 'ÿ', lt: undefined } },
  'empty txn': { op: 'txn', compares: [], success: [], failure: [] },
  txn: {
    op: 'txn',
    compares: [
      { target: 'version', result: 'equal', keys: one('a'), operand: 0 },
      { target: 'create-revision', result: 'greater', keys: one('a'), operand: 2 ** 53 - 1 },
      { target: 'mod-revision', result: 'less', keys: one('a'), operand: -7 },
      { target: 'value', result: 'not-equal', keys: one('a'), operand: value },
      { target: 'lease', result: 'equal', keys: one('__proto__'), operand: 0n },
    ],
    success: [
      { op: 'put', key: '__proto__', value, lease: 5n },
      { op: 'delete', keys: { gte: 'a', lt: 'b' } },
    ],
    failure: [
      range('a', 'b', 10, true, 70_000),
      range('', undefined, undefined, undefined, undefined),
    ],
  },
  compact: { op: 'compact', revision: 70_000 },
  'read lease': { op: 'read-lease', leaseMs: 720 },
  'lease grant': { op: 'lease-grant', id: -(2n ** 63n), ttlSeconds: 9_000_000_000 },
  'lease revoke': { op: 'lease-revoke', id: 2n ** 63n - 1n },
  'lease revoke, expired': {
    ...{ op: 'lease-revoke', id: 5n, expired: { term: 3, generation: 70_000 } },
  },
  'lease checkpoint': {
    op: 'lease-checkpoint',
    term: 3,
    leases: [
      { id: 5n, generation: 70_000, remainingMs: 0 },
      { id: -1n, generation: 1, remainingMs: 9_000_000_000_000 },
    ],
  },
  'put that keeps the value': { ...keeping, ignoreValue: true },
  'put that keeps the lease': { ...keeping, value, ignoreLease: true },
  'put that tells': { ...keeping, value, previous: true },
  'delete that tells': { op: 'delete', keys: { gte: 'a', lt: 'b' }, previous: true },
  'nested txn': {
    op: 'txn',
    compares: [
      { target: 'value', result: 'less', keys: { gte: 'a', lt: 'b' }, operand: value },
      { target: 'lease', result: 'greater', keys: { gte: '', lt: undefined }, operand: -1n },
    ],
    success: [
      {
        op: 'txn',
        compares: [],
        success: [{ op: 'txn', compares: [], success: [], failure: [] }],
        failure: [{ ...keeping, ignoreValue: true, ignoreLease: true }],
      },
      { op: 'delete', keys: one('a'), previous: true },
    ],
    failure: [
      rangeWith({ countOnly: true }),
      rangeWith({ keysOnly: true, sort: { target: 'value', order: 'descend' } }),
      rangeWith({ minModRevision: 1, maxModRevision: 300 }),
      rangeWith({ minCreateRevision: 2 ** 53 - 1, maxCreateRevision: 70_000 }),
    ],
  },
  'alarm raised': { op: 'alarm', member: 2 ** 53 - 1, isRaised: true },
  'alarm of nobody ended': { op: 'alarm', member: 0, isRaised: false },
  'lease revoke, of one lease': { op: 'lease-revoke', id: 5n, generation: 70_000 },
};

export const commandSamples: Readonly<Record<string, CommandEnvelope>> = Object.fromEntries(
  Object.entries(commands).map(([name, command]) => [name, { ...request, command }]),
);

function range(
  gte: string,
  lt: string | undefined,
  limit: number | undefined,
  ...[count, revision]: [boolean | undefined, number | undefined]
): Operation {
  return { op: 'range', keys: { gte, lt }, limit, count, revision };
}

function rangeWith(options: Partial<RangeOperation>): RangeOperation {
  return {
    ...{ op: 'range', keys: { gte: 'a', lt: 'b' } },
    ...{ limit: undefined, count: undefined, revision: undefined },
    ...{ countOnly: undefined, keysOnly: undefined, sort: undefined },
    ...{ minModRevision: undefined, maxModRevision: undefined },
    ...{ minCreateRevision: undefined, maxCreateRevision: undefined },
    ...options,
  };
}

const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const bytes = fc.uint8Array({ maxLength: 30 });
const key = bytes.map((units) => String.fromCharCode(...units));
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const keys = fc.record({ gte: key, lt: maybe(key) });
const yes = fc.constantFrom(undefined, true as const);
const put = fc.record({ op: fc.constant('put' as const), key, value: bytes, lease: maybe(int64) });
const putWith = fc.record({
  ...{ op: fc.constant('put' as const), key, value: bytes, lease: maybe(int64) },
  ...{ ignoreValue: yes, ignoreLease: yes, previous: yes },
});
const remove = fc.record({ op: fc.constant('delete' as const), keys, previous: yes });
const plainRange = {
  op: fc.constant('range' as const),
  keys,
  limit: maybe(number),
  count: maybe(fc.boolean()),
  revision: maybe(number),
};
const sort = fc.record({
  target: fc.constantFrom(
    ...(['key', 'version', 'create-revision', 'mod-revision', 'value'] as const),
  ),
  order: fc.constantFrom('ascend' as const, 'descend' as const),
});
const ranges = fc.oneof(
  fc.record(plainRange),
  fc.record({
    ...plainRange,
    ...{ countOnly: yes, keysOnly: yes, sort: maybe(sort) },
    ...{ minModRevision: maybe(number), maxModRevision: maybe(number) },
    ...{ minCreateRevision: maybe(number), maxCreateRevision: maybe(number) },
  }),
);
const result = fc.constantFrom('equal', 'greater', 'less', 'not-equal');
const compare = fc.oneof(
  fc.record({
    target: fc.constantFrom('version', 'create-revision', 'mod-revision'),
    ...{ result, keys, operand: fc.maxSafeInteger() },
  }),
  fc.record({ target: fc.constant('value'), result, keys, operand: bytes }),
  fc.record({ target: fc.constant('lease'), result, keys, operand: int64 }),
) as fc.Arbitrary<Compare>;
const { txn } = fc.letrec<{ txn: Command & { op: 'txn' }; operation: Operation }>((tie) => ({
  operation: fc.oneof({ depthSize: 'small' }, put, putWith, remove, ranges, tie('txn')),
  txn: fc.record({
    op: fc.constant('txn' as const),
    compares: fc.array(compare, { maxLength: 5 }),
    success: fc.array(tie('operation'), { maxLength: 4 }),
    failure: fc.array(tie('operation'), { maxLength: 4 }),
  }),
}));
const compact = fc.record({ op: fc.constant('compact' as const), revision: number });
const grant = fc.record({ op: fc.constant('lease-grant' as const), id: int64, ttlSeconds: number });
const revoke = fc.oneof(
  fc.record({ op: fc.constant('lease-revoke' as const), id: int64 }),
  fc.record({ op: fc.constant('lease-revoke' as const), id: int64, generation: number }),
  fc.record({
    ...{ op: fc.constant('lease-revoke' as const), id: int64 },
    expired: fc.record({ term: number, generation: number }),
  }),
);
const checkpoint = fc.record({
  op: fc.constant('lease-checkpoint' as const),
  term: number,
  leases: fc.array(fc.record({ id: int64, generation: number, remainingMs: number })),
});

export const envelopes: fc.Arbitrary<CommandEnvelope> = fc.record({
  session: number,
  seq: number,
  doneBelow: number,
  command: fc.oneof(put, putWith, remove, txn, compact, grant, revoke, checkpoint),
});
