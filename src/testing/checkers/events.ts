/** A history as a sequence of calls and answers. */
import type { History } from './operation.js';

/**
 * Calls (`i`) and answers (`n + i`) in order of time. At equal times calls come first: what touches
 * overlaps.
 *
 * @since 0.1.0
 */
export function eventsInOrder(history: History<unknown, unknown>): Int32Array {
  const count = history.length;
  const timeOf = (event: number): number => {
    const operation = history[event % count];
    return (event < count ? operation?.callAt : operation?.returnAt) as number;
  };
  const events: number[] = [];
  for (let at = 0; at < count; at += 1) {
    events.push(at);
    if (history[at]?.returnAt !== Infinity) events.push(count + at);
  }
  const times = Float64Array.from({ length: 2 * count }, (_, event) => timeOf(event));
  return Int32Array.from(events).sort((a, b) => {
    const difference = (times[a] as number) - (times[b] as number);
    return difference !== 0 ? difference : a - b;
  });
}
