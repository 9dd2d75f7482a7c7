// The reference model against a real etcd 3.4 or later: commands, ranges, transactions, leases, compactions
// and watches at random, and every answer, error, revision and event of the two compared. `KONTIKI_DEPTH=n`
// runs n times as many; a failure prints its seed.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { calledCommands, leaseIds, ranges, selections, txns } from '../mvcc/command-arbitraries.js';
import { depth } from '../mvcc/depth.js';
import { reading } from '../mvcc/reference-rules.js';
import { EtcdProcess, etcdVersion } from './etcd-process.js';
import { EtcdTwin } from './etcd-twin.js';

const version = etcdVersion();
const kind = <K extends string>(name: K) => fc.constant(name);

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: kind('run'), command: calledCommands }) },
  { weight: 6, arbitrary: fc.record({ kind: kind('range'), range: ranges }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('read-txn'), txn: txns }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('lease'), id: fc.constantFrom(...leaseIds) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: kind('history'),
      fromRevision: fc.integer({ min: 1, max: 30 }),
      keys: selections,
      filters: fc.constantFrom<readonly string[]>([], [], ['NODELETE']),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function take(twin: EtcdTwin, it: Step): Promise<void> {
  switch (it.kind) {
    case 'run':
      return twin.run(it.command);
    case 'range':
      return twin.range(it.range);
    case 'read-txn':
      return twin.readTxn(reading(it.txn));
    case 'lease':
      return twin.lease(it.id);
    case 'history':
      if (it.fromRevision > twin.model.revision) return;
      return twin.history(it.fromRevision, it.keys, it.filters);
  }
}

describe.skipIf(version === undefined)('etcd (skipped unless etcd is on the PATH)', () => {
  let etcd: EtcdProcess;
  beforeAll(async () => {
    etcd = await EtcdProcess.start();
  });
  afterAll(() => etcd?.stop());

  test('random commands, reads, leases and watches -> what the model says', {
    timeout: 60_000 * depth,
  }, async () => {
    const steps = fc.array(step, { minLength: 20, maxLength: 60, size: 'max' });
    const property = fc.asyncProperty(steps, async (all) => {
      const twin = await EtcdTwin.begin(etcd);
      for (const each of all) await take(twin, each);
    });
    await fc.assert(property, { numRuns: 100 * depth });
  });
});
