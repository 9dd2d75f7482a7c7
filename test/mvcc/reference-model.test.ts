// The keyspace against the reference model: every answer, every error with its figures, every event,
// whatever is flushed, closed, crashed, compacted or read in between.
// `KONTIKI_DEPTH=n` runs n times as many (50: the 5,000 of the roadmap); a failure prints its seed.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Command, KeySelection, RangeOperation, TxnCommand } from '../../src/mvcc/index.js';
import { isReadOnly } from '../../src/mvcc/index.js';
import { attachmentRange, keyOfAttachment } from '../../src/mvcc/lease-record.js';
import { closedKey, currentKey, historyKey } from '../../src/mvcc/record-keys.js';
import type { KvEngine } from '../../src/storage/index.js';
import { MemoryEngine } from '../../src/storage/index.js';
import { commands, leaseIds, ranges, selections, txns } from './command-arbitraries.js';
import { DrivenKeyspace, type EngineLives, plain } from './driven-keyspace.js';
import { placeAt } from './reference-leases.js';
import { ReferenceModel } from './reference-model.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const everything = { gte: '' };

const lives: EngineLives = {
  open: async () => new MemoryEngine(),
  reopen: async (engine) => (engine as MemoryEngine).reopen(),
  crash: async (engine: KvEngine) => {
    (engine as MemoryEngine).crash();
    return (engine as MemoryEngine).reopen();
  },
};

const few = fc.array(commands, { maxLength: 3 });
const smallLimit = fc.integer({ min: 1, max: 5 });
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('run' as const),
      batch: fc.array(commands, { minLength: 1, maxLength: 6, size: 'max' }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      operations: fc.array(ranges, { minLength: 1, maxLength: 6, size: 'max' }),
      meanwhile: few,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('read-txn' as const), txn: txns }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('slice' as const),
      changesMax: smallLimit,
      meanwhile: few,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('history' as const),
      fromRevision: fc.integer({ min: 1, max: 45 }),
      keys: selections,
      limit: smallLimit,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
);

/** A keyspace beside the model. */
class Pair {
  readonly model = new ReferenceModel();
  readonly driven: DrivenKeyspace;
  /** Model's answer and events at each index. */
  readonly answers: object[] = [];

  constructor(driven: DrivenKeyspace) {
    this.driven = driven;
  }

  async run(batch: readonly Command[]): Promise<void> {
    const from = this.answers.length;
    for (const command of batch) {
      const place = placeAt(this.answers.length + 1);
      const { answer, events } = this.model.execute(command, place);
      this.answers.push({ answer, events });
    }
    this.#check(await this.driven.run(batch), from);
  }

  /** Everything lost is applied again, with the same answers. */
  async crash(): Promise<void> {
    const again = await this.driven.crash();
    this.#check(again, this.answers.length - again.length);
  }

  async read(operation: RangeOperation, meanwhile: readonly Command[]): Promise<void> {
    const expected = this.model.range(operation);
    const without = meanwhile.filter(({ op }) => op !== 'compact');
    await this.expectAnswer(
      () => this.driven.keyspace.rangeQuery(operation),
      expected,
      () => this.run(without),
    );
  }

  async readTxn(txn: TxnCommand): Promise<void> {
    const copy = reading(txn);
    expect(isReadOnly(copy)).toBe(true);
    const { answer } = this.model.execute(copy);
    await this.expectAnswer(() => this.driven.keyspace.txnQuery(copy), answer);
  }

  async history(fromRevision: number, keys: KeySelection, limit: number): Promise<void> {
    const groups: unknown[] = [];
    let from = fromRevision;
    try {
      while (from <= this.model.revision) {
        const query = this.driven.keyspace.historyQuery({ fromRevision: from, limit, keys });
        const part = await this.driven.answer(query);
        expect(part.nextRevision).toBeGreaterThan(from);
        groups.push(...part.revisions.map(({ events }) => events));
        from = part.nextRevision;
      }
    } catch (error) {
      expect(plain(error as object)).toEqual(this.model.history(fromRevision, keys));
      return;
    }
    if (fromRevision > this.model.revision) return;
    expect(groups).toEqual(this.model.history(fromRevision, keys));
  }

  async expectAnswer(
    start: () => Parameters<DrivenKeyspace['answer']>[0],
    expected: object,
    meanwhile?: () => Promise<void>,
  ): Promise<void> {
    let got: object;
    try {
      got = (await this.driven.answer(start(), meanwhile)) as object;
    } catch (error) {
      got = plain(error as object);
    }
    expect(got).toEqual(expected);
  }

  #check(
    executions: readonly { readonly result: object; readonly events: unknown }[],
    from: number,
  ) {
    const got = executions.map(({ result, events }) => ({ answer: plain(result), events }));
    expect(got).toEqual(this.answers.slice(from, from + got.length));
    expect(this.driven.keyspace.revision).toBe(this.model.revision);
    expect(this.driven.keyspace.compactRevision).toBe(this.model.compactRevision);
    const leases = [...this.driven.keyspace.leases()].sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(leases).toEqual([...this.model.leases.leases].sort((a, b) => (a.id < b.id ? -1 : 1)));
  }
}

/** The same transaction with its writes taken out. */
function reading(txn: TxnCommand): TxnCommand {
  const only = (branch: TxnCommand['success']): TxnCommand['success'] =>
    branch
      .filter(({ op }) => op === 'range' || op === 'txn')
      .map((it) => (it.op === 'txn' ? reading(it) : it));
  return { ...txn, success: only(txn.success), failure: only(txn.failure) };
}

async function take(pair: Pair, it: typeof step extends fc.Arbitrary<infer S> ? S : never) {
  const { driven } = pair;
  switch (it.kind) {
    case 'run':
      return pair.run(it.batch);
    case 'read':
      for (const operation of it.operations.slice(1)) await pair.read(operation, []);
      return pair.read(it.operations[0]!, it.meanwhile);
    case 'read-txn':
      return pair.readTxn(it.txn);
    case 'history':
      return pair.history(it.fromRevision, it.keys, it.limit);
    case 'slice': {
      const rest = [...it.meanwhile];
      await driven.slice(it.changesMax, () => pair.run(rest.splice(0, 1)));
      return;
    }
    default:
      return it.kind === 'crash' ? pair.crash() : driven[it.kind]();
  }
}

/** Revisions that are left read as they were, and their history is whole. */
async function checkAll(pair: Pair): Promise<void> {
  const { model } = pair;
  await pair.driven.scrub();
  await checkAttached(pair);
  for (
    let revision = Math.max(1, model.compactRevision);
    revision <= model.revision;
    revision += 3
  ) {
    await pair.read({ op: 'range', keys: everything, revision }, []);
  }
  await pair.history(Math.max(1, model.compactRevision), everything, 4);
}

/** Exactly the live keys of each lease are attached to it, in key order. */
async function checkAttached({ model, driven }: Pair): Promise<void> {
  const records = await driven.dump();
  for (const id of leaseIds) {
    const { gte, lt } = attachmentRange(id);
    const own = records.filter(([key]) => key >= gte && key < lt);
    const live = model.stateAt(model.revision).filter(({ lease }) => lease === id);
    expect(own.map(([key, bytes]) => keyOfAttachment(key, bytes))).toEqual(
      live.map(({ key }) => key),
    );
  }
}

/** Nothing that a compaction gave up is left, and nothing else is gone. */
async function checkRemoved({ model, driven }: Pair): Promise<void> {
  const { history, closed } = model.survivors();
  const live = model.stateAt(model.revision).map(({ key }) => currentKey(key));
  const expected = [
    ...live,
    ...history.map(historyKey),
    ...closed.map((change) => closedKey(change.key, change)),
  ];
  const own = (await driven.dump()).map(([key]) => key).filter((key) => key > 'b' && key < 'l');
  expect(own).toEqual(expected.sort());
}

test(
  'any commands, reads, slices, flushes, reopenings and crashes -> the answers of the model',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }),
        async (steps) => {
          const pair = new Pair(await DrivenKeyspace.open(lives));
          for (const it of steps) await take(pair, it);
          await checkAll(pair);
          while (await pair.driven.slice(3)) await pair.driven.scrub();
          await checkRemoved(pair);
          await checkAll(pair);
          await pair.driven.close();
        },
      ),
      { numRuns: 100 * depth },
    );
  },
  60_000 * depth,
);
