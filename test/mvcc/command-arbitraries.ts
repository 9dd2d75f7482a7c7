/**
 * Random commands of every kind and option, over a few keys that are neighbours, prefixes of each
 * other, or odd.
 */
import fc from 'fast-check';
import type {
  Command,
  Compare,
  KeySelection,
  Operation,
  RangeOperation,
  TxnCommand,
} from '../../src/mvcc/index.js';
import type { ConsumerOptions } from './watch-consumer.js';

export const keys = [
  ...['a', 'a\0', 'a\0\0', 'a\0\xff', 'a\x01', 'ab', 'b', '\0', '\0\xff'],
  ...['\xff', '\xff\xff', '__proto__', 'constructor'],
];

/** Revisions in a random history are few, so that old, compacted and future ones all come up. */
const revision = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 45 }));
const key = fc.constantFrom(...keys);
const value = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constant(Uint8Array.from({ length: 256 }, (_, unit) => unit)) },
);
/** Ids of leases that come and go. */
export const leaseIds = [7n, -(2n ** 63n), 2n ** 63n - 1n];
const lease = fc.constantFrom(undefined, undefined, undefined, 0n, ...leaseIds);
/** Absent, but for one in `every`. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>, every: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: every - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const seldom = fc.constantFrom(undefined, undefined, undefined, undefined, true);
const single: fc.Arbitrary<KeySelection> = key.map((gte) => ({ gte, lt: `${gte}\0` }));

const wide: fc.Arbitrary<KeySelection> = fc
  .record({ gte: fc.constantFrom('', ...keys), lt: fc.constantFrom(undefined, undefined, ...keys) })
  // That would be the empty key, which is refused.
  .filter(({ gte, lt }) => gte !== '' || lt !== '\0');

/** One key, a range, or the wrong way round and so none. */
export const selections: fc.Arbitrary<KeySelection> = fc.oneof(
  { weight: 2, arbitrary: single },
  { weight: 4, arbitrary: wide.map(({ gte, lt }) => inOrder(gte, lt)) },
  { weight: 1, arbitrary: wide },
);

/** What a watch accepts: not empty by its form. */
export const watchable = selections.filter(({ gte, lt }) => lt === undefined || gte < lt);

function inOrder(gte: string, lt: string | undefined): KeySelection {
  return lt === undefined || lt > gte || gte === '\0' ? { gte, lt } : { gte: lt, lt: gte };
}

const put: fc.Arbitrary<Operation & { op: 'put' }> = fc
  .record({
    ...{ op: fc.constant('put' as const), key, value, lease },
    ...{ ignoreValue: seldom, ignoreLease: seldom },
    previous: fc.constantFrom(undefined, true),
  })
  .map((it) => ({
    ...it,
    value: it.ignoreValue ? new Uint8Array(0) : it.value,
    lease: it.ignoreLease ? undefined : it.lease,
  }));

const remove: fc.Arbitrary<Operation & { op: 'delete' }> = fc.record({
  op: fc.constant('delete' as const),
  // Few of many keys: states must grow for limits to cut anything.
  keys: fc.oneof({ weight: 8, arbitrary: single }, { weight: 1, arbitrary: selections }),
  previous: fc.constantFrom(undefined, true),
});

const sort = fc.record({
  target: fc.constantFrom(
    ...(['key', 'key', 'version', 'create-revision', 'mod-revision', 'value'] as const),
  ),
  order: fc.constantFrom('ascend' as const, 'descend' as const),
});

export const ranges: fc.Arbitrary<RangeOperation> = fc.record({
  op: fc.constant('range' as const),
  keys: selections,
  limit: maybe(fc.integer({ min: 1, max: 5 }), 2),
  count: fc.constantFrom(undefined, false, true),
  revision: maybe(revision, 2),
  countOnly: seldom,
  keysOnly: seldom,
  sort: maybe(sort, 2),
  minModRevision: maybe(revision, 8),
  maxModRevision: maybe(revision, 8),
  minCreateRevision: maybe(revision, 12),
  maxCreateRevision: maybe(revision, 12),
});

const result = fc.constantFrom('equal', 'greater', 'less', 'not-equal') as fc.Arbitrary<
  Compare['result']
>;
const compares: fc.Arbitrary<Compare> = fc.oneof(
  fc.record({
    ...{ keys: selections, result },
    target: fc.constantFrom(...(['version', 'create-revision', 'mod-revision'] as const)),
    operand: fc.integer({ min: -1, max: 12 }),
  }),
  fc.record({ keys: selections, result, target: fc.constant('value' as const), operand: value }),
  fc.record({
    ...{ keys: selections, result },
    ...{ target: fc.constant('lease' as const), operand: fc.constantFrom(0n, 7n, -1n) },
  }),
);

/** Mostly at the latest revision: one that cannot be read refuses the whole transaction. */
const inside = fc
  .tuple(ranges, fc.integer({ min: 0, max: 5 }))
  .map(([range, dice]): RangeOperation => (dice === 0 ? range : { ...range, revision: undefined }));

const { txn } = fc.letrec<{ txn: TxnCommand; operation: Operation }>((tie) => ({
  operation: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 4, arbitrary: put },
    { weight: 3, arbitrary: remove },
    { weight: 3, arbitrary: inside },
    { weight: 2, arbitrary: tie('txn') },
  ),
  txn: fc.record({
    op: fc.constant('txn' as const),
    compares: fc.array(compares, { maxLength: 2 }),
    success: fc.array(tie('operation'), { maxLength: 4 }),
    failure: fc.array(tie('operation'), { maxLength: 4 }),
  }),
}));

export const txns: fc.Arbitrary<TxnCommand> = txn;

/** Many keys in one revision: slices and limits cut inside it. */
const fill: fc.Arbitrary<TxnCommand> = fc
  .tuple(fc.subarray(keys, { minLength: 5 }), value, fc.boolean())
  .map(([names, each, isDelete]) => {
    const success = names.map((name): Operation => {
      if (isDelete && name < 'b') return { op: 'delete', keys: { gte: name, lt: `${name}\0` } };
      return { op: 'put', key: name, value: each };
    });
    return { op: 'txn', compares: [], success, failure: [] };
  });

/** Deletes, here and further in, then a range that is cut: it must see past what they took. */
const cut: fc.Arbitrary<TxnCommand> = fc
  .record({
    names: fc.uniqueArray(key, { minLength: 2, maxLength: 5, size: 'max' }),
    keys: wide,
    limit: fc.integer({ min: 1, max: 4 }),
    order: fc.constantFrom(undefined, 'ascend' as const, 'descend' as const),
    isInside: fc.boolean(),
  })
  .map(({ names, keys: selected, limit, order, isInside }) => {
    const [first, ...others] = names.map((name): Operation => {
      return { op: 'delete', keys: { gte: name, lt: `${name}\0` } };
    });
    const sorted = order === undefined ? {} : { sort: { target: 'key', order } as const };
    const range: Operation = { op: 'range', keys: selected, limit, ...sorted };
    const nested: Operation = { op: 'txn', compares: [], success: others, failure: [] };
    const last: Operation = isInside
      ? { op: 'txn', compares: [], success: [range], failure: [] }
      : range;
    return { op: 'txn', compares: [], success: [first!, nested, last], failure: [] };
  });

const crossing: fc.Arbitrary<KeySelection> = wide.map(({ gte, lt }) => inOrder(gte, lt));
const bounded: fc.Arbitrary<Operation> = fc
  .record({
    keys: fc.oneof({ weight: 3, arbitrary: crossing }, { weight: 1, arbitrary: selections }),
    limit: maybe(fc.integer({ min: 1, max: 4 }), 4).map((limit) => limit ?? 2),
    order: fc.constantFrom(undefined, 'ascend' as const, 'descend' as const),
    count: seldom,
  })
  .map(({ order, ...range }): Operation => {
    const sorted = order === undefined ? {} : { sort: { target: 'key', order } as const };
    return { op: 'range', ...range, ...sorted };
  });
/** Mostly true of all keys, so that all of them are read. */
const broad: fc.Arbitrary<Compare> = fc.record({
  ...{ keys: crossing, target: fc.constant('version' as const) },
  result: fc.constantFrom('greater' as const, 'greater' as const, 'less' as const),
  operand: fc.constantFrom(-1, -1, 0, 3),
});
const { tangled } = fc.letrec<{ tangled: TxnCommand; step: Operation }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 4, arbitrary: bounded },
    { weight: 2, arbitrary: ranges.map((range): Operation => ({ ...range, revision: undefined })) },
    { weight: 1, arbitrary: ranges },
    {
      weight: 4,
      arbitrary: fc
        .record({ keys: crossing, previous: fc.constantFrom(undefined, true) })
        .map((it): Operation => ({ op: 'delete', ...it })),
    },
    { weight: 2, arbitrary: single.map((it): Operation => ({ op: 'delete', keys: it })) },
    { weight: 4, arbitrary: put },
    { weight: 3, arbitrary: tie('tangled') },
  ),
  tangled: fc.record({
    op: fc.constant('txn' as const),
    compares: fc.array(broad, { maxLength: 2 }),
    success: fc.array(tie('step'), { minLength: 2, maxLength: 7, size: 'max' }),
    failure: fc.array(tie('step'), { maxLength: 4 }),
  }),
}));

/**
 * Deletes of ranges that overlap, and ranges with limits, puts and compares of much among them, at any
 * depth. A put of a key that something else changes is left out, or nearly all would be refused.
 */
export const tangles: fc.Arbitrary<TxnCommand> = fc
  .tuple(tangled, fc.boolean())
  .map(([it, isSeen]) => {
    const deleted: KeySelection[] = [];
    const collect = (operations: readonly Operation[]): void => {
      for (const operation of operations) {
        if (operation.op === 'delete') deleted.push(operation.keys);
        if (operation.op === 'txn') collect([...operation.success, ...operation.failure]);
      }
    };
    collect([it]);
    const names = new Set<string>();
    const isLawful = (operation: Operation): boolean => {
      if (operation.op !== 'put') return true;
      const { key: name } = operation;
      const isOther =
        names.has(name) ||
        deleted.some(({ gte, lt }) => {
          return name >= gte && (lt === undefined || name < lt);
        });
      names.add(name);
      return !isOther;
    };
    const lawful = (branch: readonly Operation[]): Operation[] =>
      branch.filter(isLawful).map((each) => (each.op === 'txn' ? inner(each) : each));
    const inner = (each: TxnCommand): TxnCommand => {
      return { ...each, success: lawful(each.success), failure: lawful(each.failure) };
    };
    const { success, ...others } = inner(it);
    // All keys before and after it.
    const seen: readonly Operation[] = isSeen ? [{ op: 'range', keys: { gte: '' } }] : [];
    return { ...others, success: [...seen, ...success, ...seen] };
  });

const compact = fc.record({
  op: fc.constant('compact' as const),
  revision: fc.oneof(fc.integer({ min: 1, max: 12 }), revision),
});

const leaseId = fc.constantFrom(...leaseIds);
const grant = fc.record({
  op: fc.constant('lease-grant' as const),
  id: leaseId,
  ttlSeconds: fc.constantFrom(1, 60, 9_000_000_000),
});
/** Of the places that the driven keyspace makes up. */
const expired = fc.record({
  term: fc.integer({ min: 1, max: 4 }),
  generation: fc.integer({ min: 1, max: 3 }),
});
const revoke = fc.oneof(
  fc.record({
    op: fc.constant('lease-revoke' as const),
    id: leaseId,
    expired: maybe(expired, 2),
  }),
  fc.record({
    op: fc.constant('lease-revoke' as const),
    id: leaseId,
    generation: fc.integer({ min: 1, max: 3 }),
  }),
);
const checkpoint = fc.record({
  op: fc.constant('lease-checkpoint' as const),
  term: fc.integer({ min: 1, max: 4 }),
  leases: fc.array(
    fc.record({
      id: leaseId,
      generation: fc.integer({ min: 1, max: 3 }),
      remainingMs: fc.constantFrom(0, 1, 9_000_000_000_000),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

const readLease = fc.record({
  op: fc.constant('read-lease' as const),
  leaseMs: fc.constantFrom(0, 900, 1_000),
});

const alarm = fc.record({
  op: fc.constant('alarm' as const),
  member: fc.constantFrom(0, 1, 2 ** 53 - 1),
  isRaised: fc.boolean(),
});

/** All but compactions. */
const change: fc.Arbitrary<Command> = fc.oneof(
  { weight: 16, arbitrary: put },
  { weight: 6, arbitrary: remove },
  { weight: 12, arbitrary: txn },
  { weight: 4, arbitrary: fill },
  { weight: 2, arbitrary: cut },
  { weight: 3, arbitrary: tangles },
  { weight: 8, arbitrary: grant },
  { weight: 4, arbitrary: revoke },
  { weight: 3, arbitrary: checkpoint },
  { weight: 1, arbitrary: readLease },
  { weight: 1, arbitrary: alarm },
);

export const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 26, arbitrary: change },
  { weight: 1, arbitrary: compact },
);

/** What a user can ask for by a call of its own. */
export type CalledCommand = Extract<
  Command,
  { op: 'put' | 'delete' | 'txn' | 'compact' | 'lease-grant' | 'lease-revoke' }
>;

const calls = ['put', 'delete', 'txn', 'compact', 'lease-grant', 'lease-revoke'];

/** Those, with leases that last and are revoked by no clock. */
export const calledCommands: fc.Arbitrary<CalledCommand> = commands
  .filter((command): command is CalledCommand => calls.includes(command.op))
  .map((command) => {
    if (command.op === 'lease-grant') return { ...command, ttlSeconds: 9_000 };
    return command.op === 'lease-revoke' ? { op: command.op, id: command.id } : command;
  });

/** Commands of one turn, compactions apart. */
export const batch = fc.array(change, { minLength: 1, maxLength: 8 });

const flag = fc.constantFrom(undefined, undefined, false, true);
export const watchOptions: fc.Arbitrary<ConsumerOptions> = fc.record({
  keys: watchable,
  fromRevision: fc.option(revision, { nil: undefined }),
  isEager: fc.boolean(),
  noPut: flag,
  noDelete: flag,
  previous: fc.constantFrom(undefined, true, false),
  fragment: flag,
});
