/**
 * Where the operations of a history stand in a drawing. The width follows the order of events, not
 * their times: whatever overlaps does so on paper, and there is room for the labels.
 */
import { eventsInOrder } from './events.js';
import type { History, Operation } from './operation.js';

const left = 120;
const eventWidth = 20;
const top = 76;
const laneHeight = 46;
const clientGap = 8;

/** A bar of the drawing, in its units. @since 0.1.0 */
export interface Bar {
  readonly from: number;
  readonly to: number;
  /** Of its upper edge. */
  readonly y: number;
}

/** Places of everything, in units of the drawing. @since 0.1.0 */
export interface HistoryLayout {
  readonly width: number;
  readonly height: number;
  /** One per operation. */
  readonly bars: readonly Bar[];
  /** The first lane of each client. */
  readonly rows: readonly { readonly client: string; readonly y: number }[];
}

/**
 * Places operations.
 *
 * @param history - what is drawn
 * @param widths - of each operation's label
 * @since 0.1.0
 */
export function layOut(
  history: History<unknown, unknown>,
  widths: readonly number[],
): HistoryLayout {
  const from: number[] = [];
  const to: number[] = [];
  let x = left;
  for (const event of eventsInOrder(history)) {
    x += eventWidth;
    const operation = event % history.length;
    if (event < history.length) {
      from[operation] = x;
      continue;
    }
    x = Math.max(x, (from[operation] as number) + (widths[operation] as number));
    to[operation] = x;
  }
  // What was never answered goes on to the edge, which leaves room for its label.
  const open = history.map((_, at) =>
    to[at] === undefined ? (from[at] as number) + (widths[at] as number) : 0,
  );
  const edge = Math.max(x + eventWidth, ...open);
  const { lanes, rows, height } = lanesOf(history);
  const bars = history.map((_, at) => ({
    from: from[at] as number,
    to: to[at] ?? edge,
    y: lanes[at] as number,
  }));
  return { width: edge + eventWidth, height, bars, rows };
}

/** Operations of a client that overlap, because it went on without an answer, get lanes of their own. */
function lanesOf(history: History<unknown, unknown>) {
  const clients = new Map<string, number[]>();
  for (const [at, { client }] of history.entries()) {
    const name = String(client);
    clients.set(name, [...(clients.get(name) ?? []), at]);
  }
  const lanes: number[] = [];
  const rows: { client: string; y: number }[] = [];
  let y = top;
  for (const client of [...clients.keys()].sort(byNumberThenText)) {
    rows.push({ client, y });
    const ends: number[] = [];
    const own = (clients.get(client) ?? []).map((at) => [at, history[at]] as const);
    const ordered = own as (readonly [number, Operation<unknown, unknown>])[];
    for (const [at, { callAt, returnAt }] of ordered.sort(([, a], [, b]) => a.callAt - b.callAt)) {
      const free = ends.findIndex((end) => end <= callAt);
      const lane = free < 0 ? ends.length : free;
      ends[lane] = returnAt;
      lanes[at] = y + lane * laneHeight;
    }
    y += ends.length * laneHeight + clientGap;
  }
  return { lanes, rows, height: y + 40 };
}

function byNumberThenText(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  if (difference !== 0 && !Number.isNaN(difference)) return difference;
  return a < b ? -1 : 1;
}

/**
 * Where on the bars the operations of an order took effect: from left to right, each on its own bar.
 *
 * @param order - bars, in an order that the history allows
 * @since 0.1.0
 */
export function pointsOf(order: readonly Bar[]): number[] {
  const latest: number[] = [];
  let bound = Infinity;
  for (let at = order.length - 1; at >= 0; at -= 1) {
    bound = Math.min(bound, (order[at] as Bar).to - 3);
    latest[at] = bound;
  }
  let x = 0;
  return order.map(({ from }, at) => {
    x = Math.min(Math.max(x + 9, from + 9), latest[at] as number);
    return x;
  });
}
