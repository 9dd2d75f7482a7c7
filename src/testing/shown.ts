/** Values in messages. */

/**
 * A value as text for people: JSON, with bytes as lists of numbers and large integers as digits.
 *
 * @since 0.1.0
 */
export function shown(value: unknown): string {
  if (value === undefined || typeof value === 'function') return String(value);
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`;
    return part instanceof Uint8Array ? [...part] : part;
  });
}
