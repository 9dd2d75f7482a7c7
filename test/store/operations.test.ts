// The namespaces `op` and `cmp`: what they make, and what they refuse at once.
import { describe, expect, test } from 'vitest';
import { cmp, op } from '../../src/store/operations.js';

type Loose = Record<string, (...args: unknown[]) => unknown>;
const looseOp = op as unknown as Loose;
const looseCmp = cmp as unknown as Loose;
const error = (code: string) => expect.objectContaining({ code, outcome: 'rejected' });
const bytes = (text: string) => new TextEncoder().encode(text);

describe('op', () => {
  test('what each of them orders', () => {
    expect(op.put('é', 'v').operation).toEqual({ op: 'put', key: '\xc3\xa9', value: bytes('v') });
    const one = { gte: 'a', lt: 'a\0' };
    expect(op.delete('a').operation).toEqual({ op: 'delete', keys: one });
    expect(op.delete({ prefix: 'a' }).operation).toEqual({
      op: 'delete',
      keys: { gte: 'a', lt: 'b' },
    });
    expect(op.get('a').operation).toEqual({ op: 'range', keys: one });
    expect(op.range({ from: 'a', limit: 2, count: true }).operation).toEqual({
      op: 'range',
      keys: { gte: 'a' },
      limit: 2,
      count: true,
    });
  });

  test('a prefix of 0xff only, and the empty one, have no end', () => {
    const ff = new Uint8Array([0xff, 0xff]);
    expect(op.delete({ prefix: ff }).operation).toEqual({
      op: 'delete',
      keys: { gte: '\xff\xff' },
    });
    expect(op.delete({ prefix: '' }).operation).toEqual({ op: 'delete', keys: { gte: '' } });
    const mixed = new Uint8Array([0x61, 0xff, 0xff]);
    const keys = { gte: 'a\xff\xff', lt: 'b' };
    expect(op.delete({ prefix: mixed }).operation).toEqual({ op: 'delete', keys });
  });

  test.each([
    ['a Uint8Array', (text: string) => bytes(text)],
    ['a Buffer', (text: string) => Buffer.from(text)],
    ['a part of a larger array', (text: string) => bytes(`..${text}..`).subarray(2, -2)],
  ])('%s that changes afterwards: the operation does not', (_, make) => {
    const value = make('value');
    const key = make('key');
    const put = op.put(key, value);
    const compare = cmp.value(key).eq(value);
    value.fill(0);
    key.fill(0);
    expect(put.operation).toEqual({ op: 'put', key: 'key', value: bytes('value') });
    expect(compare).toEqual({
      keys: { gte: 'key', lt: 'key\0' },
      result: 'equal',
      target: 'value',
      operand: bytes('value'),
    });
  });

  test.each(['put', 'get', 'delete'])('%s: the empty key -> KEY_EMPTY, at once', (name) => {
    expect(() => looseOp[name]?.('', {})).toThrow(error('KEY_EMPTY'));
    expect(() => looseOp[name]?.(new Uint8Array(0), {})).toThrow(error('KEY_EMPTY'));
  });

  test.each([
    ['a key of the wrong type', () => looseOp.put?.(5, 'x')],
    ['a value of the wrong type', () => looseOp.put?.('a', 5)],
    ['no value', () => looseOp.put?.('a')],
    ['a key of the wrong type, get', () => looseOp.get?.(null)],
    ['a target of the wrong type', () => looseOp.delete?.(5)],
    ['a range without keys', () => looseOp.range?.({})],
    ['no range', () => looseOp.range?.()],
    ['an unknown option', () => looseOp.range?.({ prefix: 'a', timeoutMs: 5 })],
    ['a revision of 0', () => looseOp.range?.({ prefix: 'a', revision: 0 })],
    ['a bound of 0', () => looseOp.range?.({ prefix: 'a', minModRevision: 0 })],
    ['an unknown order', () => looseOp.range?.({ prefix: 'a', order: 'up' })],
    ['an unknown target', () => looseOp.range?.({ prefix: 'a', sortBy: '__proto__' })],
    ['options of a put that are null', () => looseOp.put?.('a', 'x', null)],
    ['options of a delete that are null', () => looseOp.delete?.('a', null)],
    ['options of a get that are null', () => looseOp.get?.('a', null)],
    ['an unknown option of a put', () => looseOp.put?.('a', 'x', { leases: 1n })],
    ['a lease that is a number', () => looseOp.put?.('a', 'x', { lease: 1 })],
    ['a lease beyond int64', () => looseOp.put?.('a', 'x', { lease: 2n ** 63n })],
    ['a previous that is no boolean', () => looseOp.put?.('a', 'x', { previous: 1 })],
    ['an unknown option of a get', () => looseOp.get?.('a', { serializable: true })],
    ['a get at revision 0', () => looseOp.get?.('a', { revision: 0 })],
    ['a txn of anything else', () => looseOp.txn?.({ do: ['put'] })],
    ['a txn of no list', () => looseOp.txn?.({ do: op.get('a') })],
    ['a txn of no compares', () => looseOp.txn?.({ if: [op.get('a')] })],
    ['a limit of 0', () => looseOp.range?.({ prefix: 'a', limit: 0 })],
    ['a count that is no boolean', () => looseOp.range?.({ prefix: 'a', count: 1 })],
  ])('%s -> ARGUMENT_INVALID, at once', (_, call) => {
    expect(call).toThrow(error('ARGUMENT_INVALID'));
  });
});

describe('cmp', () => {
  test('targets and relations', () => {
    expect(cmp.version('a').eq(1)).toEqual({
      keys: { gte: 'a', lt: 'a\0' },
      result: 'equal',
      target: 'version',
      operand: 1,
    });
    expect(cmp.createRevision('a').ne(0)).toMatchObject({
      result: 'not-equal',
      target: 'create-revision',
    });
    expect(cmp.modRevision('a').gt(7)).toMatchObject({ result: 'greater', target: 'mod-revision' });
    expect(cmp.value('a').lt('x')).toMatchObject({ result: 'less', operand: bytes('x') });
    expect(cmp.lease('a').eq(-1n)).toMatchObject({ target: 'lease', operand: -1n });
  });

  test.each(['version', 'createRevision', 'modRevision', 'value', 'lease'])(
    '%s: a wrong key is refused at once',
    (name) => {
      expect(() => looseCmp[name]?.('')).toThrow(error('KEY_EMPTY'));
      expect(() => looseCmp[name]?.(5)).toThrow(error('ARGUMENT_INVALID'));
    },
  );

  const operands: readonly (readonly [string, readonly unknown[]])[] = [
    ['version', [-1, 1.5, Number.NaN, '1', null, undefined, 1n, 2 ** 53]],
    ['createRevision', [-1, '1', 1n]],
    ['modRevision', [-1, '1', 1n]],
    ['value', [5, null, undefined, {}]],
    ['lease', [1, '1', null, undefined, 2n ** 63n, -(2n ** 63n) - 1n]],
  ];
  test.each(operands)('%s: operands of the wrong kind -> ARGUMENT_INVALID', (name, wrong) => {
    const relations = looseCmp[name]?.('a') as Loose;
    for (const operand of wrong) {
      for (const relation of ['eq', 'ne', 'gt', 'lt']) {
        expect(() => relations[relation]?.(operand), `${relation} ${String(operand)}`).toThrow(
          error('ARGUMENT_INVALID'),
        );
      }
    }
  });
});
