/** Answers as far as a client saw them. */
import { equalBytes } from '../../base/bytes.js';

/**
 * Any part of an answer: fields that were not observed are left out. Lists are whole, because how many
 * there are is an observation too.
 *
 * @since 0.1.0
 */
export type Observed<T> = T extends
  | Uint8Array
  | bigint
  | boolean
  | number
  | string
  | null
  | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Observed<Item>[]
    : { readonly [Field in keyof T]?: Observed<T[Field]> | undefined };

/**
 * An answer of which the client saw everything: nothing else is right, and nothing less.
 *
 * @since 0.1.0
 */
export class WholeAnswer {
  /** @param answer - as the client has it; `undefined` is an answer too */
  constructor(readonly answer: unknown) {}
}

/**
 * Whether everything in `seen` is in `answer`. A field that is present and `undefined` says that there
 * was none.
 *
 * @param answer - all of it
 * @param seen - an {@link Observed} of such an answer
 * @since 0.1.0
 */
export function agrees(answer: unknown, seen: unknown): boolean {
  if (seen instanceof WholeAnswer) {
    return agrees(answer, seen.answer) && agrees(seen.answer, answer);
  }
  if (typeof seen !== 'object' || seen === null) return answer === seen || Object.is(answer, seen);
  if (typeof answer !== 'object' || answer === null) return false;
  if (seen instanceof Uint8Array) return answer instanceof Uint8Array && equalBytes(answer, seen);
  if (Array.isArray(seen)) {
    if (!Array.isArray(answer) || answer.length !== seen.length) return false;
    return seen.every((item, at) => agrees(answer[at], item));
  }
  if (seen instanceof Map || seen instanceof Set) {
    return answer.constructor === seen.constructor && agreeInAnyOrder(answer as typeof seen, seen);
  }
  const hidden = hiddenIn(seen);
  if (hidden !== undefined && !agrees(hiddenIn(answer), hidden)) return false;
  for (const field of Object.keys(seen)) {
    const own = Object.hasOwn(answer, field)
      ? (answer as Record<string, unknown>)[field]
      : undefined;
    if (!agrees(own, (seen as Record<string, unknown>)[field])) return false;
  }
  return true;
}

/** Entries of maps, members of sets: the same ones, mostly in the same order. */
function agreeInAnyOrder(answer: Iterable<unknown>, seen: Iterable<unknown>): boolean {
  const [own, others] = [[...answer], [...seen]];
  return (
    own.length === others.length &&
    others.every((each, at) => agrees(own[at], each) || own.some((one) => agrees(one, each)))
  );
}

/** What an object holds that is in none of its fields. */
function hiddenIn(value: object): unknown {
  if (value instanceof Date) return ['date', value.getTime()];
  if (value instanceof Error) return [value.name, value.message];
  if (value instanceof ArrayBuffer) return [value.constructor.name, new Uint8Array(value)];
  if (!ArrayBuffer.isView(value)) return undefined;
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return [value.constructor.name, bytes];
}
