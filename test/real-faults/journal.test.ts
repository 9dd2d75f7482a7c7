// What judges the runs under real faults: each lie is found.
import { describe, expect, test } from 'vitest';
import type { RegisterInput } from '../../src/testing/index.js';
import { Journal, watchFaults } from './journal.js';
import type { Change, Notice } from './protocol.js';

type Answer = Partial<Notice & { readonly tell: 'return' }>;

let calls = 0;
function journalOf(...steps: readonly (readonly [RegisterInput, Answer | undefined])[]): Journal {
  const journal = new Journal();
  for (const [input, answer] of steps) {
    calls += 1;
    const call = `${calls}`;
    journal.take({ tell: 'call', call, client: 'c', key: 'k', input, at: 10 * calls });
    if (answer === undefined) continue;
    const at = 10 * calls + 1;
    journal.take({ tell: 'return', call, at, outcome: 'ok', ...answer });
  }
  return journal;
}

const write = (value: string): RegisterInput => ({ op: 'write', value });
const read: RegisterInput = { op: 'read' };
const put = (revision: number, value: string | null): Change => ({ revision, key: 'k', value });

describe('journal of a run', () => {
  test('everything as it happened -> no fault', () => {
    const journal = journalOf(
      [write('a'), { revision: 2 }],
      [read, { value: 'a' }],
      [
        { op: 'cas', expected: 'a', value: 'b' },
        { swapped: true, revision: 3 },
      ],
      [{ op: 'cas', expected: 'a', value: 'c' }, { swapped: false }],
      [write('d'), { outcome: 'rejected', code: 'NO_LEADER' }],
      [write('e'), undefined],
      [read, { value: 'e' }],
    );
    expect(journal.linearizabilityFaults()).toEqual([]);
    expect(journal.writeFaults([put(2, 'a'), put(3, 'b'), put(4, 'e')])).toEqual([]);
  });

  test.each([
    ['an acknowledged write is gone', [write('a'), { revision: 2 }], []],
    ['it has another revision', [write('a'), { revision: 3 }], [put(2, 'a')]],
    ['a rejected write is there', [write('a'), { outcome: 'rejected' }], [put(2, 'a')]],
    ['a write is there twice', [write('a'), { revision: 2 }], [put(2, 'a'), put(3, 'a')]],
    [
      'a swap that was refused is there',
      [{ op: 'cas', expected: null, value: 'a' }, { swapped: false }],
      [put(2, 'a')],
    ],
  ] as const)('%s -> a fault of writes', (_, step, changes) => {
    expect(journalOf(step).writeFaults(changes)).toHaveLength(1);
  });

  test.each([
    [
      'an old value',
      [
        [write('a'), {}],
        [write('b'), {}],
        [read, { value: 'a' }],
      ],
    ],
    ['a value of nobody', [[read, { value: 'x' }]]],
    [
      'back and forth',
      [
        [write('a'), undefined],
        [read, { value: 'a' }],
        [read, { value: null }],
      ],
    ],
  ] as const)('a read of %s -> not linearizable', (_, steps) => {
    expect(journalOf(...steps).linearizabilityFaults()).toHaveLength(1);
  });

  test.each([
    ['a gap', [put(2, 'a'), put(4, 'c')], 1],
    ['a duplicate', [put(2, 'a'), put(2, 'a'), put(3, 'b'), put(4, 'c')], 1],
    ['another order', [put(3, 'b'), put(2, 'a'), put(4, 'c')], 1],
    ['the end missing', [put(2, 'a'), put(3, 'b')], 1],
    ['all of it', [put(2, 'a'), put(3, 'b'), put(4, 'c')], 0],
  ] as const)('a watch with %s -> faults', (_, seen, atLeast) => {
    const all = [put(2, 'a'), put(3, 'b'), put(4, 'c')];
    const shown = new Map<string, readonly Change[]>([
      ['n1', all],
      ['n2', seen],
    ]);
    const { faults } = watchFaults(shown);
    if (atLeast === 0) expect(faults).toEqual([]);
    else expect(faults.length).toBeGreaterThan(0);
  });

  test('a watch of a member that left -> held to the beginning alone, and to all of that', () => {
    const all = [put(2, 'a'), put(3, 'b'), put(4, 'c')];
    const faultsOf = (seen: readonly Change[]) =>
      watchFaults(new Map(Object.entries({ n1: all, n2: seen })), new Set(['n2'])).faults;
    expect(faultsOf([put(2, 'a')])).toEqual([]);
    expect(faultsOf([put(2, 'a'), put(4, 'c')])).toHaveLength(1);
  });

  test('a read that failed, or has no answer -> told; a write is not', () => {
    const failed = { outcome: 'rejected', code: 'TIMEOUT' } as const;
    const journal = journalOf([read, failed], [read, undefined], [write('a'), failed], [read, {}]);
    expect(journal.failedReads()).toEqual(['a read of c: TIMEOUT', 'a read of c: no answer']);
  });

  test('what a cluster begins with -> part of its history', () => {
    const journal = new Journal();
    journal.beginWith([put(2, 'a'), put(3, 'b')]);
    journal.take({ tell: 'call', call: 'x', client: 'c', key: 'k', input: read, at: 10 });
    journal.take({ tell: 'return', call: 'x', at: 11, outcome: 'ok', value: 'a' });
    expect(journal.newestRevision).toBe(3);
    expect(journal.linearizabilityFaults()).toHaveLength(1);
    expect(journal.writeFaults([put(2, 'a')])).toHaveLength(1);
  });
});
