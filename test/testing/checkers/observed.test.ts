// Goal: what a client saw counts, what it did not see does not.
import { expect, test } from 'vitest';
import { agrees, WholeAnswer } from '../../../src/testing/checkers/observed.js';

const answer = {
  op: 'range',
  revision: 5,
  kvs: [{ key: 'a', value: Uint8Array.of(1, 2), lease: undefined }],
  more: false,
  id: 7n,
};

test.each([
  ['nothing', {}],
  ['a number', { revision: 5 }],
  ['a bigint', { id: 7n }],
  ['bytes', { kvs: [{ value: Uint8Array.of(1, 2) }] }],
  ['that there was none', { kvs: [{ lease: undefined }], count: undefined }],
])('%s that is in the answer -> agrees', (_, seen) => {
  expect(agrees(answer, seen)).toBe(true);
});

test.each([
  ['another number', { revision: 6 }],
  ['another bigint', { id: 8n }],
  ['a number for a bigint', { id: 7 }],
  ['other bytes', { kvs: [{ value: Uint8Array.of(1, 3) }] }],
  ['fewer items', { kvs: [] }],
  ['more items', { kvs: [{}, {}] }],
  ['a list for something else', { more: [] }],
  ['a field that is not there', { code: 'COMPACTED' }],
  ['that there was none', { revision: undefined }],
  ['a field of every object', { toString: Object.prototype.toString }],
])('%s -> does not agree', (_, seen) => {
  expect(agrees(answer, seen)).toBe(false);
});

test.each([
  ['maps', new Map([['a', 1]]), new Map([['a', 2]])],
  ['a map with less', new Map([['a', 1]]), new Map()],
  ['sets', new Set([1]), new Set([2])],
  ['dates', new Date(1), new Date(2)],
  ['errors', new Error('a'), new Error('b')],
  ['numbers in a typed list', Float64Array.of(1, 2), Float64Array.of(1)],
  ['buffers', Uint8Array.of(1).buffer, Uint8Array.of(2).buffer],
])('%s that differ in what no field shows -> do not agree', (_, one, other) => {
  expect([agrees(one, other), agrees(other, one), agrees(one, {})]).toEqual([false, false, true]);
});

test.each([
  ['not a number', Number.NaN, Number.NaN],
  ['maps', new Map([['a', [1]]]), new Map([['a', [1]]])],
  [
    'maps in another order',
    new Map([...'ab'].entries()),
    new Map([...[...'ab'].entries()].reverse()),
  ],
  ['sets', new Set(['a', 'b']), new Set(['b', 'a'])],
  ['dates', new Date(1), new Date(1)],
  ['typed lists', Float64Array.of(1, 2), Float64Array.of(1, 2)],
])('%s that are equal -> agree', (_, one, other) => {
  expect([agrees(one, other), agrees([one], [other])]).toEqual([true, true]);
});

test.each([
  ['the same', { a: 1, b: undefined }, { a: 1 }, true],
  ['nothing', { a: 1 }, undefined, false],
  ['less', { a: 1, b: 2 }, { a: 1 }, false],
  ['more', { a: 1 }, { a: 1, b: 2 }, false],
])('a whole answer that is %s', (_, answer, seen, expected) => {
  expect(agrees(answer, new WholeAnswer(seen))).toBe(expected);
});
