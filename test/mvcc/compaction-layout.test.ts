// The layout allows compaction before there is any: records removed as ADR 0006 says, every revision
// from the compacted one on reads as before.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMeta, encodeMeta } from '../../src/mvcc/meta.js';
import { decodeHistory } from '../../src/mvcc/record.js';
import { closedKey, historyKey, historyRange, metaKey } from '../../src/mvcc/record-keys.js';
import { batch } from './arbitraries.js';
import { Model } from './model.js';
import { SortedBackend } from './sorted-backend.js';

const everything = { gte: '' };

/** In revision order, what each change replaced goes; a delete's own record goes one later. */
function compact(backend: SortedBackend, to: number): void {
  const { records } = backend;
  const meta = decodeMeta(records.get(metaKey)!);
  const plan = { keys: [], ranges: [historyRange({ from: 1, upTo: to })] };
  for (const [recordKey, bytes] of backend.read(plan).ranges[0]!) {
    const { type, version, previous } = decodeHistory(recordKey, bytes);
    if (previous.revision > 0) {
      records.delete(historyKey(previous));
      records.delete(closedKey(version.key, previous));
    }
    if (type === 'delete' && version.modRevision < to) records.delete(recordKey);
  }
  records.set(metaKey, encodeMeta({ ...meta, compactRevision: to }));
}

describe('compaction by hand', () => {
  test('any history, compacted anywhere, twice: later revisions and their events are intact', () => {
    fc.assert(
      fc.property(fc.array(batch, { minLength: 2, maxLength: 4 }), fc.nat(), (batches, at) => {
        const backend = new SortedBackend();
        const model = new Model();
        let compacted = 0;
        for (const commands of batches) {
          // Old reads of a transaction may be compacted here and not in the model.
          const plain = commands.filter(({ op }) => op !== 'txn');
          backend.run(backend.open(), plain);
          for (const command of plain) model.execute(command);
          if (model.revision === 1) continue;
          compacted = Math.max(compacted, 1 + (at % model.revision));
          compact(backend, compacted);
          check(backend, model, compacted);
        }
      }),
      { numRuns: 100 },
    );
  });
});

function check(backend: SortedBackend, model: Model, compacted: number): void {
  const keyspace = backend.open();
  expect(keyspace.compactRevision).toBe(compacted);
  for (let revision = compacted; revision <= model.revision; revision += 1) {
    const operation = { op: 'range' as const, keys: everything, revision };
    const result = backend.answer(keyspace.rangeQuery(operation));
    expect(result.kvs).toEqual(model.states[revision]);
  }
  const range = { fromRevision: compacted, limit: 3, keys: everything };
  let part = backend.answer(keyspace.historyQuery(range));
  const revisions = [...part.revisions];
  while (part.nextRevision <= model.revision) {
    const fromRevision = part.nextRevision;
    part = backend.answer(keyspace.historyQuery({ ...range, fromRevision }));
    revisions.push(...part.revisions);
  }
  // At the compacted revision itself, versions before are gone, and then absent.
  const expected = model.history(compacted, everything).map(({ revision, events }) => {
    if (revision > compacted) return { revision, events };
    return { revision, events: events.map(({ previous: _gone, ...event }) => event) };
  });
  expect(revisions).toEqual(expected);
}
