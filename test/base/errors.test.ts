import { describe, expect, expectTypeOf, test } from 'vitest';
import { assert, maybe, unreachable } from '../../src/base/assert.js';
import { isKontikiError, KontikiError, kontikiError } from '../../src/base/errors.js';

describe('errors', () => {
  test('built -> an Error with code, outcome, cause and the fields of its code', () => {
    const cause = new Error('disk');
    const error = kontikiError('WAL_CORRUPT', 'expected a record, got zeros', {
      cause,
      file: '0001.wal',
      offset: 512,
    });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code: 'WAL_CORRUPT', file: '0001.wal', offset: 512, cause });
    expect(error.message).toBe('expected a record, got zeros');
    expect(`${error}`).toBe('KontikiError: expected a record, got zeros');
    expect(error.stack).toContain('errors.test.ts');
  });

  test('no cause, no outcome -> no such fields', () => {
    const error = kontikiError('CLOSED', 'the store is closed');
    expect('cause' in error).toBe(false);
    expect(error.outcome).toBeUndefined();
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: 'CLOSED' });
  });

  test('outcome of a write -> kept', () => {
    expect(kontikiError('TIMEOUT', 'late', { outcome: 'unknown' }).outcome).toBe('unknown');
    const refused = kontikiError('NOT_LEADER', 'no', { outcome: 'rejected', leaderId: 3 });
    expect(refused).toMatchObject({ outcome: 'rejected', leaderId: 3 });
  });

  test('isKontikiError -> by brand and code, narrowing to the fields', () => {
    const error: unknown = kontikiError('COMPACTED', 'gone', { compactRevision: 9 });
    expect(isKontikiError(error)).toBe(true);
    expect(isKontikiError(error, 'CLOSED')).toBe(false);
    if (!isKontikiError(error, 'COMPACTED')) throw new Error('not recognised');
    expectTypeOf(error.compactRevision).toBeNumber();
    expect(error.compactRevision).toBe(9);
  });

  test('an error of another copy of the package -> recognised by its brand', () => {
    const foreign = { code: 'CLOSED', [Symbol.for('kontiki.error')]: true };
    const error: unknown = Object.assign(new Error('closed elsewhere'), foreign);
    expect(error).not.toBeInstanceOf(KontikiError);
    expect(isKontikiError(error, 'CLOSED')).toBe(true);
    expect(isKontikiError(error, 'TIMEOUT')).toBe(false);
  });

  test.each([undefined, null, 'CLOSED', 7, {}, new Error('x'), { code: 'CLOSED' }])(
    'something else (%j) -> not recognised',
    (value) => {
      expect(isKontikiError(value)).toBe(false);
      expect(isKontikiError(value, 'CLOSED')).toBe(false);
    },
  );

  test('the brand -> does not show when an error is printed or copied', () => {
    const error = kontikiError('CLOSED', 'closed');
    expect(Reflect.ownKeys({ ...error })).toEqual(
      expect.not.arrayContaining([Symbol.for('kontiki.error')]),
    );
  });
});

describe('assertions', () => {
  test('assert: holds -> nothing; does not -> ASSERTION with the words', () => {
    expect(() => assert(true, 'fine')).not.toThrow();
    expect(() => assert(false, '3 <= 2')).toThrow(
      expect.objectContaining({ code: 'ASSERTION', message: 'assertion failed: 3 <= 2' }),
    );
  });

  test('maybe: either -> nothing', () => {
    expect(() => maybe(true)).not.toThrow();
    expect(() => maybe(false)).not.toThrow();
  });

  test('unreachable: reached -> ASSERTION that shows the value', () => {
    expect(() => unreachable({ kind: 'new' } as never)).toThrow(/unreachable: {"kind":"new"}/);
  });
});
