// What a proposer refuses.
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { type Command, checkCommand, type Operation } from '../../src/mvcc/index.js';

const value = new Uint8Array(1);
const one = (key: string) => ({ gte: key, lt: `${key}\0` });
const put = (key: string): Operation => ({ op: 'put', key, value });
const remove = (gte: string, lt?: string): Operation => ({ op: 'delete', keys: { gte, lt } });
const txn = (success: Operation[], failure: Operation[] = []): Command => {
  return { op: 'txn', compares: [], success, failure };
};
const many = (count: number): Operation[] =>
  Array.from({ length: count }, (_, at) => put(`k${at}`));
const compare = (fields: object): Command => {
  const it = { keys: one('a'), result: 'equal', target: 'version', operand: 1, ...fields };
  return { op: 'txn', compares: [it], success: [], failure: [] } as unknown as Command;
};

describe('checkCommand', () => {
  test.each<[string, Command]>([
    ['put', { op: 'put', key: 'a', value }],
    ['put with the largest lease', { op: 'put', key: 'a', value, lease: 2n ** 63n - 1n }],
    ['delete of everything', { op: 'delete', keys: { gte: '' } }],
    ['delete of an empty range', { op: 'delete', keys: { gte: 'b', lt: 'a' } }],
    ['empty txn', txn([])],
    ['same key in the two branches', txn([put('a')], [put('a')])],
    ['overlapping deletes', txn([remove('a', 'c'), remove('b', 'd')])],
    ['put beside a delete', txn([put('c'), remove('a', 'c')])],
    ['as many operations as allowed', txn(many(limits.transactionOperationsMax))],
  ])('%s: accepted', (_name, command) => {
    expect(() => checkCommand(command)).not.toThrow();
  });

  test.each<[string, Command, string]>([
    ['empty key', { op: 'put', key: '', value }, 'KEY_EMPTY'],
    ['delete of the empty key', { op: 'delete', keys: one('') }, 'KEY_EMPTY'],
    ['compare of the empty key', compare({ keys: one('') }), 'KEY_EMPTY'],
    ['empty key in the branch that may not run', txn([], [put('')]), 'KEY_EMPTY'],
    ['key that is no binary string', { op: 'put', key: 'a\u0100', value }, 'ARGUMENT_INVALID'],
    ['value that is text', { op: 'put', key: 'a', value: 'a' as never }, 'ARGUMENT_INVALID'],
    ['lease past int64', { op: 'put', key: 'a', value, lease: 2n ** 63n }, 'ARGUMENT_INVALID'],
    ['compare with a fraction', compare({ operand: 1.5 }), 'ARGUMENT_INVALID'],
    ['value compared with a number', compare({ target: 'value' }), 'ARGUMENT_INVALID'],
    ['lease compared with a number', compare({ target: 'lease' }), 'ARGUMENT_INVALID'],
    ['limit 0', txn([{ op: 'range', keys: one('a'), limit: 0 }]), 'ARGUMENT_INVALID'],
    ['revision 0', txn([{ op: 'range', keys: one('a'), revision: 0 }]), 'ARGUMENT_INVALID'],
    ['two puts of a key', txn([put('a'), put('b'), put('a')]), 'DUPLICATE_KEY'],
    ['two puts in the branch that may not run', txn([], [put('a'), put('a')]), 'DUPLICATE_KEY'],
    ['put inside a later delete', txn([put('b'), remove('a', 'c')]), 'DUPLICATE_KEY'],
    ['put inside an earlier delete', txn([remove('a'), put('b')]), 'DUPLICATE_KEY'],
    [
      'one operation too many',
      txn(many(limits.transactionOperationsMax + 1)),
      'TOO_MANY_OPERATIONS',
    ],
  ])('%s: refused', (_name, command, code) => {
    const error = expect.objectContaining({ code, outcome: 'rejected' });
    expect(() => checkCommand(command)).toThrow(error);
  });

  test('too many compares: refused', () => {
    const compares = Array.from({ length: 129 }, () => {
      return { keys: one('a'), result: 'equal', target: 'version', operand: 1 } as const;
    });
    const error = expect.objectContaining({ code: 'TOO_MANY_OPERATIONS' });
    expect(() => checkCommand({ op: 'txn', compares, success: [], failure: [] })).toThrow(error);
  });
});
