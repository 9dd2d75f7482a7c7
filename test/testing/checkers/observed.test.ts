// Goal: what a client saw counts, what it did not see does not.
import { expect, test } from 'vitest';
import { agrees } from '../../../src/testing/checkers/observed.js';

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
