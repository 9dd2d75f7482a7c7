/** One command of every op and shape, and a generator of lawful ones. */
import fc from 'fast-check';
import type { CommandEnvelope } from '../../src/codec/command-envelope.js';
import type { Command, Compare, Operation } from '../../src/mvcc/types.js';

const request = { session: 2 ** 52 + 1, seq: 300, doneBelow: 299 };
const value = Uint8Array.of(0, 1, 254, 255);
const everyByte = String.fromCharCode(...Array.from({ length: 256 }, (_, unit) => unit));

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
      { target: 'version', result: 'equal', key: 'a', operand: 0 },
      { target: 'create-revision', result: 'greater', key: 'a', operand: 2 ** 53 - 1 },
      { target: 'mod-revision', result: 'less', key: 'a', operand: -7 },
      { target: 'value', result: 'not-equal', key: 'a', operand: value },
      { target: 'lease', result: 'equal', key: '__proto__', operand: 0n },
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

const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const bytes = fc.uint8Array({ maxLength: 30 });
const key = bytes.map((units) => String.fromCharCode(...units));
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const keys = fc.record({ gte: key, lt: maybe(key) });
const put = fc.record({ op: fc.constant('put' as const), key, value: bytes, lease: maybe(int64) });
const remove = fc.record({ op: fc.constant('delete' as const), keys });
const ranges = fc.record({
  op: fc.constant('range' as const),
  keys,
  limit: maybe(number),
  count: maybe(fc.boolean()),
  revision: maybe(number),
});
const result = fc.constantFrom('equal', 'greater', 'less', 'not-equal');
const compare = fc.oneof(
  fc.record({
    target: fc.constantFrom('version', 'create-revision', 'mod-revision'),
    ...{ result, key, operand: fc.maxSafeInteger() },
  }),
  fc.record({ target: fc.constant('value'), result, key, operand: bytes }),
  fc.record({ target: fc.constant('lease'), result, key, operand: int64 }),
) as fc.Arbitrary<Compare>;
const operations = fc.array(fc.oneof(put, remove, ranges), { maxLength: 5 });
const txn = fc.record({
  op: fc.constant('txn' as const),
  compares: fc.array(compare, { maxLength: 5 }),
  success: operations,
  failure: operations,
});

export const envelopes: fc.Arbitrary<CommandEnvelope> = fc.record({
  session: number,
  seq: number,
  doneBelow: number,
  command: fc.oneof(put, remove, txn),
});
