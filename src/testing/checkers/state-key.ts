/**
 * What tells the states of somebody's model apart. Two states under one key are a wrong verdict, two
 * keys for one state a little more work: so what is not plain data is a key itself.
 */

/**
 * A key of a state: a text, equal only for equal data; or the state, when it holds anything else.
 *
 * @param state - of any model
 * @since 0.1.0
 */
export function stateKey(state: unknown): unknown {
  return textOf(state) ?? state;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : `${value}`;
  if (Array.isArray(value)) return listOf('', value);
  if (value instanceof Uint8Array) return `bytes[${value.join()}]`;
  if (value instanceof Map) return listOf('map', value);
  if (value instanceof Set) return listOf('set', value);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === null;
  return isPlain ? listOf('fields', Object.entries(value)) : undefined;
}

function listOf(name: string, items: Iterable<unknown>): string | undefined {
  const texts: string[] = [];
  for (const item of items) {
    const text = textOf(item);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return `${name}[${texts.join()}]`;
}
