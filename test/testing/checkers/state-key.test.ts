// Goal: no two states of a model share a key, whatever they are made of.
import { expect, test } from 'vitest';
import { checkLinearizable } from '../../../src/testing/checkers/linearizability.js';
import { modelOf } from '../../../src/testing/checkers/model.js';
import { SortedMap } from '../../../src/testing/checkers/sorted-map.js';
import { stateKey } from '../../../src/testing/checkers/state-key.js';
import { describedModel } from '../../../src/testing/machine/machine-spec.js';

const states: readonly unknown[] = [
  ...[undefined, null, 0, -0, 1, Number.NaN, Infinity, 1n, '1n', '1', '', true, 'true', 'NaN'],
  ...[[], [undefined], [null], ['a,b'], ['a', 'b'], [['a'], 'b'], {}, { a: 1 }, { a: undefined }],
  ...[new Map(), new Map([['a', 1]]), new Map([['a', 2]]), new Set(), new Set([['a', 1]])],
  ...[Uint8Array.of(1, 2), [1, 2], [Uint8Array.of(1), 2], [Uint8Array.of(1, 2)]],
  ...[SortedMap.empty(), SortedMap.empty<string, number>().set('a', 1), new Date(1), new Date(2)],
];

test('different states -> different keys', () => {
  expect(new Set(states.map(stateKey)).size).toBe(states.length);
});

test('equal data -> equal keys', () => {
  const make = () => ({ a: new Map([['b', Uint8Array.of(1)]]), c: [new Set([1n])] });
  expect(stateKey(make())).toBe(stateKey(make()));
});

test('a model whose state is a map: two writes at once, the first is read -> ok', () => {
  type Input = { readonly write?: string };
  const model = describedModel<Map<string, string>, Input, string | undefined>({
    initial: () => new Map(),
    execute: (state, { write }) => {
      if (write === undefined) return { state, answer: state.get('x') };
      return { state: new Map(state).set('x', write), answer: undefined };
    },
  });
  const { verdict } = checkLinearizable(modelOf(model), [
    { client: 1, input: { write: 'a' }, callAt: 0, returnAt: 9 },
    { client: 2, input: { write: 'b' }, callAt: 0, returnAt: 9 },
    { client: 3, input: {}, output: 'a', callAt: 10, returnAt: 11 },
  ]);
  expect(verdict).toBe('ok');
});
