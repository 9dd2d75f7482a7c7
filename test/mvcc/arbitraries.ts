/** Random commands over a few keys that are neighbours, prefixes of each other, or odd. */
import fc from 'fast-check';
import type { Command, Compare, KeySelection, Operation } from '../../src/mvcc/index.js';

export const keys = [
  ...['a', 'a\0', 'a\0\0', 'a\0\xff', 'a\x01', 'ab', 'b', '\0', '\0\xff'],
  ...['\xff', '\xff\xff', '__proto__', 'constructor'],
];

const key = fc.constantFrom(...keys);
const value = fc.uint8Array({ maxLength: 4 });
/** None: nothing here grants leases, and a put to one that does not exist is refused. */
const lease = fc.constantFrom(undefined, 0n);
const single: fc.Arbitrary<KeySelection> = key.map((gte) => ({ gte, lt: `${gte}\0` }));

export const selection: fc.Arbitrary<KeySelection> = fc.oneof(
  single,
  fc
    .record({ gte: fc.constantFrom('', ...keys), lt: fc.constantFrom(undefined, ...keys) })
    // That would be the empty key, which is refused.
    .filter(({ gte, lt }) => gte !== '' || lt !== '\0'),
);

/** A selection that a watch accepts: not empty by its form. */
export const watchable = selection.filter(({ gte, lt }) => lt === undefined || gte < lt);

const put: fc.Arbitrary<Operation & Command> = fc.record({
  op: fc.constant('put' as const),
  key,
  value,
  lease,
});

const remove: fc.Arbitrary<Operation & Command> = fc.record({
  op: fc.constant('delete' as const),
  keys: fc.oneof({ weight: 3, arbitrary: single }, { weight: 1, arbitrary: selection }),
});

export const range = fc.record({
  op: fc.constant('range' as const),
  keys: selection,
  limit: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
  count: fc.constantFrom(undefined, false, true),
  revision: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined, freq: 2 }),
});

const result = fc.constantFrom('equal', 'greater', 'less', 'not-equal') as fc.Arbitrary<
  Compare['result']
>;
const compare: fc.Arbitrary<Compare> = fc.oneof(
  fc.record({
    keys: single,
    result,
    target: fc.constantFrom(
      'version' as const,
      'create-revision' as const,
      'mod-revision' as const,
    ),
    operand: fc.integer({ min: 0, max: 12 }),
  }),
  fc.record({ keys: single, result, target: fc.constant('value' as const), operand: value }),
  fc.record({
    keys: single,
    result,
    target: fc.constant('lease' as const),
    operand: fc.constantFrom(0n, 7n),
  }),
);

const branch = fc.array(fc.oneof(put, remove, range), { maxLength: 5 });

export const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: put },
  { weight: 3, arbitrary: remove },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('txn' as const),
      compares: fc.array(compare, { maxLength: 2 }),
      success: branch,
      failure: branch,
    }),
  },
);

export const batch = fc.array(command, { minLength: 1, maxLength: 8 });
