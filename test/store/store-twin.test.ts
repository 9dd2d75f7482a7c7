// The store as its users call it against the reference model: every call, option, answer and error code at
// random. `KONTIKI_DEPTH=n` runs n times as many; a failure prints its seed.
import fc from 'fast-check';
import { test } from 'vitest';
import type { Compare, Operation } from '../../src/mvcc/index.js';
import {
  type CalledCommand,
  calledCommands,
  keys,
  leaseIds,
  ranges,
  selections,
  txns,
  watchable,
} from '../mvcc/command-arbitraries.js';
import { depth } from '../mvcc/depth.js';
import { reading } from '../mvcc/reference-rules.js';
import { StoreTwin } from './store-twin.js';

const kind = <K extends string>(name: K) => fc.constant(name);

// `cmp` takes no negative numbers.
const called = calledCommands.filter((command) => !hasNegative(command));

function hasNegative(operation: CalledCommand | Operation): boolean {
  if (operation.op !== 'txn') return false;
  const isNegative = ({ operand }: Compare): boolean => typeof operand === 'number' && operand < 0;
  const inner = [...operation.success, ...operation.failure];
  return operation.compares.some(isNegative) || inner.some(hasNegative);
}

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: kind('run'), command: called }) },
  { weight: 6, arbitrary: fc.record({ kind: kind('range'), range: ranges }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('get'),
      key: fc.constantFrom(...keys),
      revision: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: kind('scan'),
      keys: selections,
      pageSize: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: kind('read-txn'), txn: txns.filter((txn) => !hasNegative(txn)) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('lease'), id: fc.constantFrom(...leaseIds) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('history'),
      fromRevision: fc.integer({ min: 1, max: 30 }),
      keys: watchable,
      noDelete: fc.boolean(),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function take(twin: StoreTwin, it: Step): Promise<void> {
  switch (it.kind) {
    case 'run':
      return twin.run(it.command);
    case 'range':
      return twin.range(it.range);
    case 'get':
      return twin.get(it.key, it.revision);
    case 'scan':
      return twin.scan(it.keys, it.pageSize);
    case 'read-txn':
      return twin.readTxn(reading(it.txn));
    case 'lease':
      return twin.lease(it.id);
    case 'history':
      if (it.fromRevision > twin.model.revision) return;
      return twin.history(it.fromRevision, it.keys, it.noDelete);
  }
}

test('random calls -> what the model says', { timeout: 60_000 * depth }, async () => {
  const steps = fc.array(step, { minLength: 20, maxLength: 60, size: 'max' });
  const property = fc.asyncProperty(steps, async (all) => {
    const twin = await StoreTwin.open();
    try {
      for (const each of all) await take(twin, each);
    } finally {
      await twin.close();
    }
  });
  await fc.assert(property, { numRuns: 60 * depth });
});
