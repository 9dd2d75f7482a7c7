/** Texts under keys that can be appended to: each answer shows the order of all appends before it. */
import { type Model, modelOf, type Specification } from './model.js';
import type { Observed } from './observed.js';
import { partsByKey } from './parts.js';

/** @since 0.1.0 */
export type AppendRegisterInput =
  | { readonly op: 'get'; readonly key: string }
  | { readonly op: 'append' | 'put'; readonly key: string; readonly value: string };

/** @since 0.1.0 */
export interface AppendRegisterAnswer {
  /** Of a get; a key that was never written holds the empty text. */
  readonly value?: string;
}

const specification: Specification<string, AppendRegisterInput, AppendRegisterAnswer> = {
  initial: () => '',
  execute: (state, input) => {
    if (input.op === 'get') return { state, answer: { value: state } };
    return { state: input.op === 'put' ? input.value : state + input.value, answer: {} };
  },
  partition: (history) => partsByKey(history, ({ key }) => key),
  describe: (input, output) => {
    if (input.op !== 'get') return `${input.op} ${input.key} ${JSON.stringify(input.value)}`;
    const { value } = output ?? {};
    return `get ${input.key} ${value === undefined ? '?' : JSON.stringify(value)}`;
  },
  describeState: (state) => JSON.stringify(state),
};

/**
 * The model of a map of texts with get, put and append; each key is a part of its own.
 *
 * @since 0.1.0
 */
export function appendRegisterModel(): Model<
  string,
  AppendRegisterInput,
  Observed<AppendRegisterAnswer>
> {
  return modelOf(specification);
}
