/** Spans of time as people write them. */

/** Milliseconds, or a number with its unit, such as `'500ms'`, `'1.5s'`, `'10m'`, `'2h'`. @since 0.1.0 */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * A duration in milliseconds.
 *
 * @param value - anything
 * @returns above 0; `undefined` for what is no duration
 * @since 0.1.0
 */
export function parseDuration(value: unknown): number | undefined {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(String(value)) ?? [];
  const ms = typeof value === 'number' ? value : Number(count) * (unitMs[unit] ?? Number.NaN);
  return ms > 0 && ms <= Number.MAX_SAFE_INTEGER / 1_000 ? ms : undefined;
}
