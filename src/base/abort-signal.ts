/** What counts as a signal that a caller gives. */

/**
 * By its shape, not its class: a signal may come from another realm.
 *
 * @since 0.1.0
 */
export function isAbortSignal(value: unknown): value is AbortSignal {
  if (typeof value !== 'object' || value === null) return false;
  const { throwIfAborted, addEventListener, removeEventListener } = value as AbortSignal;
  const needed = [throwIfAborted, addEventListener, removeEventListener];
  return needed.every((method) => typeof method === 'function');
}
