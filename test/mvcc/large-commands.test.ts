// Commands that change very many keys at once, against the reference model: deletes, revokes and
// expiries, with slow and eager watches, crashes, compaction and reads of old revisions around them.
// 4,000 keys; 100,000 with `KONTIKI_DEPTH=n` above 1, and a run of each kind for every ten of it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Command,
  type KeySelection,
  type Operation,
  selectKey,
} from '../../src/mvcc/index.js';
import { MemoryEngine } from '../../src/storage/index.js';
import { depth } from './depth.js';
import { placeAt } from './reference-leases.js';
import { ReferencePair } from './reference-pair.js';

const count = depth > 1 ? 100_000 : 4_000;
const runs = Math.ceil(depth / 10);
const txnPuts = 500;
const leaseId = 7n;
const value = Uint8Array.of(1);
const nameOf = (nth: number): string => String(nth).padStart(6, '0');
const lives = {
  open: async () => new MemoryEngine(),
  reopen: async (engine: unknown) => (engine as MemoryEngine).reopen(),
  crash: async (engine: unknown) => {
    (engine as MemoryEngine).crash();
    return (engine as MemoryEngine).reopen();
  },
};

/** Puts of every key, every `every`-th without the lease. */
function fill(every: number): Command[] {
  return Array.from({ length: count / txnPuts }, (_, nth): Command => {
    const success = Array.from({ length: txnPuts }, (_, at): Operation => {
      const key = nth * txnPuts + at;
      const lease = key % every === 0 ? undefined : leaseId;
      return { op: 'put', key: nameOf(key), value, lease };
    });
    return { op: 'txn', compares: [], success, failure: [] };
  });
}

type Gone = 'delete' | 'txn' | 'revoke' | 'expire';

/** A command after which nearly all keys are gone. */
function removal(how: Gone, keys: KeySelection, pair: ReferencePair): Command {
  const remove: Operation & Command = { op: 'delete', keys, previous: true };
  if (how === 'delete') return remove;
  if (how === 'revoke') return { op: 'lease-revoke', id: leaseId };
  if (how === 'expire') {
    const { generation } = pair.model.leases.find(leaseId)!;
    const { term } = placeAt(pair.driven.log.length + 1);
    return { op: 'lease-revoke', id: leaseId, expired: { term, generation } };
  }
  const put: Operation = { op: 'put', key: 'after', value };
  const range: Operation = { op: 'range', keys: { gte: '' }, limit: 3, count: true };
  return { op: 'txn', compares: [], success: [range, remove, put, range], failure: [] };
}

/** Watches of any pace, with and without pieces, one of a single key. */
function watchAll(pair: ReferencePair): void {
  const fromRevision = pair.model.revision;
  const keys = { gte: '' };
  pair.watch({ keys, isEager: true });
  pair.watch({ keys, fromRevision, fragment: true });
  pair.watch({ keys: { gte: nameOf(5), lt: nameOf(0.9 * count) }, noPut: true, previous: false });
  pair.watch({ keys: selectKey(nameOf(count / 2)) });
}

async function readAround(pair: ReferencePair, revision: number): Promise<void> {
  const keys = { gte: '' };
  await pair.read({ op: 'range', keys, countOnly: true });
  await pair.read({ op: 'range', keys, limit: 5, count: true });
  await pair.read({ op: 'range', keys, limit: 700, revision });
  await pair.read({ op: 'range', keys: { gte: nameOf(0.99 * count) }, keysOnly: true, revision });
}

const scenario = fc.record({
  every: fc.constantFrom(2, 3, 1_000),
  from: fc.integer({ min: 0, max: 9 }),
  flushed: fc.boolean(),
  end: fc.constantFrom('crash' as const, 'reopen' as const),
  compacts: fc.boolean(),
});

test.each<Gone>(['delete', 'txn', 'revoke', 'expire'])(
  '%s of very many keys: what the model says, for readers, watches and records',
  async (how) => {
    const property = fc.asyncProperty(scenario, async (it) => {
      const pair = await ReferencePair.open(lives);
      const { driven, model } = pair;
      await pair.run([{ op: 'lease-grant', id: leaseId, ttlSeconds: 60 }, ...fill(it.every)]);
      await driven.flush();
      watchAll(pair);
      const { revision } = model;
      const keys = { gte: nameOf(it.from), lt: nameOf(count - it.from) };
      await pair.run([removal(how, keys, pair), { op: 'put', key: 'next', value }]);
      expect(model.changes.length).toBeGreaterThan(count + count / 3);
      await readAround(pair, revision);
      if (it.flushed) await driven.flush();
      if (it.end === 'crash') await pair.crash();
      else await driven.reopen();
      await readAround(pair, revision);
      if (it.compacts) await pair.run([{ op: 'compact', revision: model.revision - 1 }]);
      await pair.checkWatches();
      while (await driven.slice(20_000));
      await driven.scrub();
      await pair.checkRecords();
      await pair.leaseKeys(leaseId);
      await driven.close();
    });
    await fc.assert(property, { numRuns: runs });
  },
  120_000 * runs,
);
