/** Which operations of a history are drawn: all of a small one, those around the failure of a large one. */
import type { PartResult } from './linearizability.js';

const drawnMax = 60;
const unplacedMax = 20;

/**
 * Places of the operations to draw, in the order of the history.
 *
 * @param part - what is drawn
 * @since 0.1.0
 */
export function operationsToDraw(part: PartResult<unknown, unknown, unknown>): readonly number[] {
  const { history, longest, blocked } = part;
  const all = history.map((_, operation) => operation);
  if (all.length <= drawnMax) return all;
  const placed = longest.map(({ operation }) => operation);
  const isPlaced = new Set(placed);
  const around = blocked === undefined ? Infinity : (history[blocked]?.callAt as number);
  const distance = (operation: number): number =>
    Math.abs((history[operation]?.callAt as number) - around);
  const unplaced = all
    .filter((operation) => !isPlaced.has(operation))
    .sort((a, b) => distance(a) - distance(b))
    .slice(0, unplacedMax);
  return [...placed.slice(unplaced.length - drawnMax), ...unplaced].sort((a, b) => a - b);
}
