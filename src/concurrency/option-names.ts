/** Options of sessions, locks and elections, by name: a typo must not turn into "wait for ever". */
import { kontikiError } from '../base/errors.js';

/** Names of `WaitOptions`. @since 0.1.0 */
export const waitNames = ['signal', 'timeoutMs'] as const;

/** Names of `SessionOptions` and of `LockOptions`. @since 0.1.0 */
export const sessionNames = [...waitNames, 'timers', 'ttlSeconds'] as const;

/**
 * Refuses options of unknown names.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function checkNames(options: object, known: readonly string[]): void {
  const isObject = typeof options === 'object' && options !== null && !Array.isArray(options);
  const stranger = isObject
    ? Object.keys(options).find((name) => !known.includes(name))
    : String(options);
  if (stranger === undefined) return;
  const message = `expected options to be ${known.join(', ')}, got ${stranger}`;
  throw kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
}
