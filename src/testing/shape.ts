/** What a value that came from outside must look like, field by field: nothing is overlooked, nor left out. */

/** What is expected of a value, and how to find out. @since 0.1.0 */
export interface Expected {
  /** As messages say it. */
  readonly text: string;
  readonly isMet: (value: unknown) => boolean;
}

/** What is expected of each field; the compiler asks for all of them. @since 0.1.0 */
export type Shape<T> = { readonly [K in keyof Required<T>]: Expected };

/** Something else than what was expected. @since 0.1.0 */
export interface Mismatch {
  readonly name: string;
  readonly expected: string;
  readonly got: unknown;
}

/** @since 0.1.0 */
export const aNumber: Expected = { text: 'a number', isMet: (value) => Number.isFinite(value) };

/** @since 0.1.0 */
export const anAmount: Expected = {
  text: 'a number of at least 0',
  isMet: (value) => Number.isFinite(value) && (value as number) >= 0,
};

/** @since 0.1.0 */
export const aBoolean: Expected = {
  text: 'a boolean',
  isMet: (value) => typeof value === 'boolean',
};

/** @since 0.1.0 */
export const aList: Expected = { text: 'a list', isMet: Array.isArray };

/** @since 0.1.0 */
export const anObject: Expected = { text: 'an object', isMet: isObject };

/** @since 0.1.0 */
export const aFunction: Expected = {
  text: 'a function',
  isMet: (value) => typeof value === 'function',
};

/** An integer from `min` on, to `max`. @since 0.1.0 */
export function anInteger(min: number, max: number = Number.MAX_SAFE_INTEGER): Expected {
  const upTo = max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`;
  return {
    text: min < 0 ? 'a safe integer' : `an integer from ${min}${upTo}`,
    isMet: (value) =>
      Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
  };
}

/** One of some texts. @since 0.1.0 */
export function among(...texts: readonly string[]): Expected {
  return { text: `among ${texts.join(', ')}`, isMet: (value) => texts.includes(value as string) };
}

/** The same, or nothing. @since 0.1.0 */
export function optional({ text, isMet }: Expected): Expected {
  return {
    text: `${text}, or absent`,
    isMet: (value) => value === undefined || isMet(value),
  };
}

/** An object of a shape; `every`: all of its fields are there. @since 0.1.0 */
export function shaped(shape: Readonly<Record<string, Expected>>): Expected {
  const names = Object.keys(shape).join(', ');
  return {
    text: `an object with ${names}`,
    isMet: (value) => isObject(value) && mismatchOf('', value, shape) === undefined,
  };
}

/**
 * The first field that is not as expected, or that there is not.
 *
 * @param where - what has the fields, in messages; ends with a dot if it is not empty
 * @since 0.1.0
 */
export function mismatchOf(
  where: string,
  value: object,
  shape: Readonly<Record<string, Expected>>,
): Mismatch | undefined {
  const names = Object.keys(shape);
  const stranger = Object.keys(value).find((name) => !names.includes(name));
  if (stranger !== undefined) {
    return { name: `${where}names`, expected: `among ${names.join(', ')}`, got: stranger };
  }
  for (const [name, { text, isMet }] of Object.entries(shape)) {
    const got = (value as Readonly<Record<string, unknown>>)[name];
    if (!isMet(got)) return { name: `${where}${name}`, expected: text, got };
  }
  return undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
