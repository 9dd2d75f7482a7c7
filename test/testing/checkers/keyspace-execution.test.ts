// Goal: the checkers' keyspace answers what the reference model of the keyspace answers, which is
// written in another way: a filter over the list of all changes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command, KeySelection, RangeOperation } from '../../../src/mvcc/index.js';
import { executeOnKeyspace } from '../../../src/testing/checkers/keyspace-execution.js';
import { emptyKeyspace } from '../../../src/testing/checkers/keyspace-state.js';
import { commands, ranges } from '../../mvcc/command-arbitraries.js';
import { ReferenceModel } from '../../mvcc/reference-model.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const malformed = ['ARGUMENT_INVALID', 'DUPLICATE_KEY', 'KEY_EMPTY', 'TOO_MANY_OPERATIONS'];
const everything: KeySelection = { gte: '' };

/** What needs a place in the log has tests of its own below. */
function isPlaceless(command: Command): boolean {
  if (command.op === 'read-lease' || command.op === 'lease-checkpoint') return false;
  if (command.op !== 'lease-revoke') return true;
  return command.expired === undefined && command.generation === undefined;
}

/** Without which entry granted a lease. */
function shown(answer: object): object {
  if (!('lease' in answer)) return answer;
  return { ...answer, lease: { ...(answer.lease as object), generation: 0 } };
}

test(
  'any commands and reads -> the answers of the reference model',
  () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 3, arbitrary: commands.filter(isPlaceless) },
        { weight: 1, arbitrary: ranges },
      ),
      { minLength: 10, maxLength: 40, size: 'max' },
    );
    fc.assert(
      fc.property(steps, (inputs) => {
        const model = new ReferenceModel();
        let state = emptyKeyspace();
        for (const input of inputs) {
          const expected = input.op === 'range' ? model.range(input) : model.execute(input).answer;
          if (malformed.includes(String(expected.code))) continue;
          const run = executeOnKeyspace(state, input);
          expect(run.answer).toEqual(shown(expected));
          expect([run.state.revision, run.state.compactRevision]).toEqual([
            model.revision,
            model.compactRevision,
          ]);
          state = run.state;
        }
        for (
          let revision = Math.max(1, state.compactRevision);
          revision <= state.revision;
          revision += 1
        ) {
          const read: RangeOperation = { op: 'range', keys: everything, revision };
          expect(executeOnKeyspace(state, read).answer).toEqual(model.range(read));
        }
      }),
      { numRuns: 150 * depth },
    );
  },
  60_000 * depth,
);

describe('what needs a place in the log', () => {
  const granted = executeOnKeyspace(
    emptyKeyspace(),
    { op: 'lease-grant', id: 7n, ttlSeconds: 60 },
    { term: 2, index: 5 },
  );
  const held = executeOnKeyspace(granted.state, {
    ...{ op: 'put', key: 'a', value: new Uint8Array(1), lease: 7n },
  }).state;

  test('a grant -> its index is the generation', () => {
    const lease = { id: 7n, ttlSeconds: 60, remainingMs: 0, generation: 5 };
    expect(granted.answer).toEqual({ op: 'lease-grant', revision: 1, lease });
  });

  test.each([
    [
      { term: 2, generation: 5 },
      { term: 2, index: 9 },
      { op: 'lease-revoke', revision: 3, id: 7n, deleted: 1 },
    ],
    [{ term: 2, generation: 5 }, { term: 3, index: 9 }, { code: 'LEADER_CHANGED' }],
    [{ term: 2, generation: 4 }, { term: 2, index: 9 }, { code: 'LEASE_NOT_FOUND' }],
  ] as const)('an expiry %o at %o -> %o', (expired, place, answer) => {
    const run = executeOnKeyspace(held, { op: 'lease-revoke', id: 7n, expired }, place);
    expect(run.answer).toEqual(answer);
    expect(run.state === held).toBe('code' in answer);
  });

  test.each([
    [5, { op: 'lease-revoke', revision: 3, id: 7n, deleted: 1 }],
    [4, { code: 'LEASE_NOT_FOUND' }],
  ] as const)('a revoke of generation %i -> %o', (generation, answer) => {
    const command = { op: 'lease-revoke', id: 7n, generation } as const;
    const run = executeOnKeyspace(held, command, { term: 2, index: 9 });
    expect(run.answer).toEqual(answer);
    expect(run.state === held).toBe('code' in answer);
  });

  test('a checkpoint -> noted for the very lease, in the very term', () => {
    const leases = [
      { id: 7n, generation: 5, remainingMs: 100 },
      { id: 7n, generation: 4, remainingMs: 200 },
      { id: 8n, generation: 5, remainingMs: 300 },
    ];
    const command = { op: 'lease-checkpoint', term: 2, leases } as const;
    const late = executeOnKeyspace(held, command, { term: 3, index: 9 });
    expect(late).toEqual({ state: held, answer: { code: 'LEADER_CHANGED' } });
    const run = executeOnKeyspace(held, command, { term: 2, index: 9 });
    expect(run.answer).toEqual({ op: 'lease-checkpoint', revision: 2, noted: 1 });
    expect(run.state.leases.get(7n)?.remainingMs).toBe(100);
  });

  test('lease reads -> the first length is the only one, and it can be switched off', () => {
    const set = (state: typeof held, leaseMs: number) =>
      executeOnKeyspace(state, { op: 'read-lease', leaseMs });
    const first = set(held, 900);
    expect(first.answer).toMatchObject({ readLease: { leaseMs: 900, everMs: 900 } });
    const other = set(first.state, 500);
    expect(other).toMatchObject({ answer: { readLease: { leaseMs: 900, everMs: 900 } } });
    expect(other.state).toBe(first.state);
    expect(set(first.state, 0).answer).toMatchObject({ readLease: { leaseMs: 0, everMs: 900 } });
  });
});
