/** One register: the object of the classical histories, and of Jepsen's. */
import { type Model, modelOf, type Specification } from './model.js';
import type { Observed } from './observed.js';

/** What a register holds; `null`: it was never written. @since 0.1.0 */
export type RegisterValue = number | string | null;

/** @since 0.1.0 */
export type RegisterInput =
  | { readonly op: 'read' }
  | { readonly op: 'write'; readonly value: RegisterValue }
  /** Writes `value` if the register holds `expected`. */
  | { readonly op: 'cas'; readonly expected: RegisterValue; readonly value: RegisterValue };

/** @since 0.1.0 */
export interface RegisterAnswer {
  /** Of a read. */
  readonly value?: RegisterValue;
  /** Of a compare-and-swap: whether it wrote. */
  readonly swapped?: boolean;
}

const specification: Specification<RegisterValue, RegisterInput, RegisterAnswer> = {
  initial: () => null,
  execute: (state, input) => {
    if (input.op === 'read') return { state, answer: { value: state } };
    if (input.op === 'write') return { state: input.value, answer: {} };
    const swapped = state === input.expected;
    return { state: swapped ? input.value : state, answer: { swapped } };
  },
  describe: (input, output) => {
    if (input.op === 'read') return `read ${output?.value === undefined ? '?' : output.value}`;
    if (input.op === 'write') return `write ${input.value}`;
    const swapped = output?.swapped;
    const told = swapped === undefined ? '?' : swapped ? 'done' : 'differs';
    return `cas ${input.expected}→${input.value} ${told}`;
  },
  describeState: (state) => String(state),
};

/**
 * The model of one register that is absent at first, with compare-and-swap.
 *
 * @since 0.1.0
 */
export function registerModel(): Model<RegisterValue, RegisterInput, Observed<RegisterAnswer>> {
  return modelOf(specification);
}
