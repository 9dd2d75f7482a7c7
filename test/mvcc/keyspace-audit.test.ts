// The audit of a whole keyspace: every one that was driven by random commands passes, at any moment, and
// none passes without one of its records, with one too many, or with an old one.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyspaceAudit } from '../../src/mvcc/index.js';
import { MemoryEngine } from '../../src/storage/index.js';
import { commands } from './command-arbitraries.js';
import { depth } from './depth.js';
import { DrivenKeyspace } from './driven-keyspace.js';

type Records = readonly (readonly [string, Uint8Array])[];

const lives = {
  open: async () => new MemoryEngine(),
  reopen: async (engine: unknown) => (engine as MemoryEngine).reopen(),
};

function audited(records: Records): KeyspaceAudit {
  const audit = new KeyspaceAudit();
  for (const record of records) audit.add(...record);
  audit.end();
  return audit;
}

function refusal(records: Records): string {
  try {
    audited(records);
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('keyspace audit', () => {
  test('random commands, compactions half done -> passes; any record gone or old -> STATE_CORRUPT', async () => {
    let refusals = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(commands, { minLength: 5, maxLength: 60, size: 'max' }),
        fc.integer({ min: 1, max: 4 }),
        async (sequence, changesMax) => {
          const driven = await DrivenKeyspace.open(lives);
          let before: Records = [];
          for (let at = 0; at < sequence.length; at += 8) {
            before = await driven.dump();
            await driven.run(sequence.slice(at, at + 8));
            await driven.slice(changesMax);
          }
          const records = await driven.dump();
          const audit = audited(records);
          expect(audit.stateHash).toBe(driven.keyspace.stateHash);
          expect(audit.meta.revision).toBe(driven.keyspace.revision);
          expect(audit.counts.leases).toBe(driven.keyspace.leaseCount);
          expect(audit.counts.keys).toBe(records.filter(([key]) => key.startsWith('c')).length);
          const old = new Map(before);
          records.forEach(([key, bytes], nth) => {
            // Progress that removed nothing yet says nothing.
            if (key === 'p' || key === 'm') return;
            const others = records.filter((_, at) => at !== nth);
            expect(refusal(others), `without ${JSON.stringify(key)}`).toBe('STATE_CORRUPT');
            refusals += 1;
            const was = old.get(key);
            if (was === undefined || Buffer.compare(was, bytes) === 0) return;
            expect(refusal([...others, [key, was]]), `old ${JSON.stringify(key)}`).toBe(
              'STATE_CORRUPT',
            );
          });
          await driven.close();
        },
      ),
      { numRuns: 30 * depth },
    );
    expect(refusals).toBeGreaterThan(100);
  });

  test('nothing at all -> an empty keyspace', () => {
    const { counts, meta } = audited([]);
    expect(meta).toMatchObject({ revision: 1, compactRevision: 0 });
    expect(counts).toEqual({
      keys: 0,
      changes: 0,
      closed: 0,
      leases: 0,
      attachments: 0,
      sessions: 0,
      alarms: 0,
    });
  });

  test('a key that no record has -> STATE_CORRUPT, naming it', () => {
    expect(() => new KeyspaceAudit().add('x1', Uint8Array.of(1))).toThrow(/stored record "x1"/);
  });
});
