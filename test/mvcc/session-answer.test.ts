// Kept answers: every answer that a keyspace gives comes back as it was, or, when it is longer than
// 1 KiB, as revision and success alone.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKontikiError, kontikiError } from '../../src/base/errors.js';
import type { Command, PutResult } from '../../src/mvcc/index.js';
import { decodeAnswer, encodeAnswer } from '../../src/mvcc/session-answer.js';
import { commands } from './command-arbitraries.js';
import { depth } from './depth.js';
import { SortedBackend } from './sorted-backend.js';

function put(valueBytes: number): PutResult {
  const value = new Uint8Array(valueBytes).fill(7);
  const numbers = { createRevision: 3, modRevision: 2 ** 40, version: 9, lease: -5n };
  return { op: 'put', revision: 2 ** 45, previous: { key: 'k\xff', value, ...numbers } };
}

describe('kept answers', () => {
  test('whatever commands come to -> read back as it was', () => {
    let answers = 0;
    fc.assert(
      fc.property(fc.array(commands, { maxLength: 30 }), (batch: Command[]) => {
        const backend = new SortedBackend();
        for (const { result } of backend.run(backend.open(), batch)) {
          const kept = decodeAnswer(encodeAnswer(result));
          answers += 1;
          if ('op' in kept && 'partial' in kept && kept.partial === true) continue;
          if ('op' in result) expect(kept).toEqual(result);
          else expect({ ...kept }).toEqual({ ...result });
        }
      }),
      { numRuns: 50 * depth },
    );
    expect(answers).toBeGreaterThan(100);
  });

  test('an answer of 1,024 bytes -> whole; one byte more: revision and success', () => {
    // 10 bytes before the version, 40 around key and value, 2 of the key.
    const whole = put(1_024 - 52);
    expect(encodeAnswer(whole)).toHaveLength(1_024);
    expect(decodeAnswer(encodeAnswer(whole))).toEqual(whole);
    const cut = { op: 'put', revision: 2 ** 45, partial: true };
    expect(decodeAnswer(encodeAnswer(put(1_024 - 51)))).toEqual(cut);
  });

  test('an error -> its code and number, and that it was refused', () => {
    const error = kontikiError('COMPACTED', 'x', { compactRevision: 7, outcome: 'rejected' });
    const kept = decodeAnswer(encodeAnswer(error));
    expect(isKontikiError(kept, 'COMPACTED') && kept.compactRevision).toBe(7);
    expect(kept).toMatchObject({ outcome: 'rejected' });
  });
});
