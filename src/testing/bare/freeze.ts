/** Values that nobody may change any more. */

/**
 * Freezes a value through and through, except bytes, which JavaScript cannot freeze.
 *
 * @param value - without cycles
 * @since 0.1.0
 */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (!Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}
