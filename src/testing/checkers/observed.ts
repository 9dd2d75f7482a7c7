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
 * Whether everything in `seen` is in `answer`. A field that is present and `undefined` says that there
 * was none.
 *
 * @param answer - all of it
 * @param seen - an {@link Observed} of such an answer
 * @since 0.1.0
 */
export function agrees(answer: unknown, seen: unknown): boolean {
  if (typeof seen !== 'object' || seen === null) return answer === seen;
  if (typeof answer !== 'object' || answer === null) return false;
  if (seen instanceof Uint8Array) return answer instanceof Uint8Array && equalBytes(answer, seen);
  if (Array.isArray(seen)) {
    if (!Array.isArray(answer) || answer.length !== seen.length) return false;
    return seen.every((item, at) => agrees(answer[at], item));
  }
  for (const field of Object.keys(seen)) {
    const own = Object.hasOwn(answer, field)
      ? (answer as Record<string, unknown>)[field]
      : undefined;
    if (!agrees(own, (seen as Record<string, unknown>)[field])) return false;
  }
  return true;
}
