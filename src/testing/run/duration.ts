/** Spans of virtual time as people write them. */
import { kontikiError } from '../../base/errors.js';

/** Milliseconds, or a number with its unit, such as `'500ms'`, `'1.5s'`, `'10m'`, `'2h'`. @since 0.1.0 */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * A duration in milliseconds.
 *
 * @param duration - above 0
 * @param name - of the option, for the message
 * @throws {KontikiError} OPTIONS_INVALID
 * @since 0.1.0
 */
export function durationMs(duration: Duration, name: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(String(duration)) ?? [];
  const ms = typeof duration === 'number' ? duration : Number(count) * (unitMs[unit] ?? Number.NaN);
  if (ms > 0 && ms <= Number.MAX_SAFE_INTEGER / 1_000) return ms;
  const message = `simulate: expected ${name} to be above 0, as 500 or '10m', got '${duration}'`;
  throw kontikiError('OPTIONS_INVALID', message);
}
