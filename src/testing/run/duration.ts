/** Spans of virtual time, as options of simulations take them. */
import { type Duration, parseDuration } from '../../base/duration.js';
import { kontikiError } from '../../base/errors.js';

export type { Duration } from '../../base/duration.js';

/**
 * A duration in milliseconds.
 *
 * @param duration - above 0
 * @param name - of the option, for the message
 * @throws {KontikiError} OPTIONS_INVALID
 * @since 0.1.0
 */
export function durationMs(duration: Duration, name: string): number {
  const ms = parseDuration(duration);
  if (ms !== undefined) return ms;
  const message = `simulate: expected ${name} to be above 0, as 500 or '10m', got '${duration}'`;
  throw kontikiError('OPTIONS_INVALID', message);
}
