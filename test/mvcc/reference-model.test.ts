// The keyspace against the reference model: every answer, every error with its figures, every event,
// all that watches deliver, and the hash, whatever is flushed, closed, crashed, compacted or read in
// between. `KONTIKI_DEPTH=n` runs n times as many (50: 5,000 runs); a failure prints its seed.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryEngine } from '../../src/storage/index.js';
import {
  commands,
  leaseIds,
  ranges,
  selections,
  txns,
  watchOptions,
} from './command-arbitraries.js';
import { depth } from './depth.js';
import type { EngineLives } from './driven-keyspace.js';
import { ReferencePair } from './reference-pair.js';

const lives: EngineLives = {
  open: async () => new MemoryEngine(),
  reopen: async (engine) => (engine as MemoryEngine).reopen(),
  crash: async (engine) => {
    (engine as MemoryEngine).crash();
    return (engine as MemoryEngine).reopen();
  },
};

const few = fc.array(commands, { maxLength: 3 });
const smallLimit = fc.integer({ min: 1, max: 5 });
const kind = <K extends string>(name: K) => fc.constant(name);
const nth = fc.nat(9);
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: kind('run'),
      batch: fc.array(commands, { minLength: 2, maxLength: 8, size: 'max' }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: kind('read'),
      operations: fc.array(ranges, { minLength: 1, maxLength: 6, size: 'max' }),
      meanwhile: few,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('read-txn'), txn: txns }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('lease-keys'), id: fc.constantFrom(...leaseIds) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: kind('slice'), changesMax: smallLimit, meanwhile: few }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('history'),
      fromRevision: fc.integer({ min: 1, max: 45 }),
      keys: selections,
      limit: smallLimit,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: kind('watch'), options: watchOptions }) },
  { weight: 6, arbitrary: fc.record({ kind: kind('pull'), nth, meanwhile: few }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('mark'), nth }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('close'), nth }) },
  // At the revision a watch needs next, one below it and one above.
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('compact-near'), nth, by: fc.integer({ min: -1, max: 1 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('flush') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('reopen') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('crash') }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type WatchStep = Extract<Step, { nth: number }>;

async function take(pair: ReferencePair, it: Step): Promise<unknown> {
  const { driven } = pair;
  switch (it.kind) {
    case 'run':
      return pair.run(it.batch);
    case 'read':
      for (const operation of it.operations.slice(1)) await pair.read(operation);
      return pair.read(it.operations[0]!, it.meanwhile);
    case 'read-txn':
      return pair.readTxn(it.txn);
    case 'lease-keys':
      return pair.leaseKeys(it.id);
    case 'history':
      return pair.history(it.fromRevision, it.keys, it.limit);
    case 'slice': {
      const rest = [...it.meanwhile];
      return driven.slice(it.changesMax, () => pair.run(rest.splice(0, 1)));
    }
    case 'watch':
      return pair.watch(it.options);
    case 'crash':
      return pair.crash();
    case 'flush':
    case 'reopen':
      return driven[it.kind]();
    default:
      return takeWatch(pair, it);
  }
}

async function takeWatch(pair: ReferencePair, it: WatchStep): Promise<unknown> {
  const watches = [...pair.watches.keys()];
  const consumer = watches[it.nth % Math.max(1, watches.length)];
  if (consumer === undefined) return undefined;
  switch (it.kind) {
    case 'pull':
      return pair.pull(consumer, () => pair.run(it.meanwhile));
    case 'mark':
      return consumer.mark();
    case 'close':
      return consumer.close();
    case 'compact-near':
      return pair.run([{ op: 'compact', revision: Math.max(1, consumer.next + it.by) }]);
  }
}

test(
  'any commands, reads, watches, slices, flushes, reopenings and crashes -> what the model says',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 15, maxLength: 50, size: 'max' }),
        async (steps) => {
          const pair = await ReferencePair.open(lives, 3);
          for (const it of steps) await take(pair, it);
          await pair.checkAll();
          await pair.checkWatches();
          while (await pair.driven.slice(3)) await pair.driven.scrub();
          await pair.checkRecords();
          await pair.checkAll();
          for (const { watcher } of pair.watches.keys()) watcher.close();
          expect(pair.driven.hub.size).toBe(0);
          await pair.driven.close();
        },
      ),
      { numRuns: 100 * depth },
    );
  },
  60_000 * depth,
);
