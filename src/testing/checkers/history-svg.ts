/**
 * A drawing of what a checker found: clients as rows, operations as bars, the longest order as a line
 * through the points at which they took effect, and the operation that fits nowhere.
 */
import { type Bar, layOut, pointsOf } from './history-layout.js';
import { operationsToDraw } from './history-window.js';
import type { LinearizabilityResult, PartResult } from './linearizability.js';
import type { Placed } from './longest-prefix.js';
import type { Operation } from './operation.js';
import { xmlText } from './xml-text.js';

const labelUnitsMax = 28;
const unitWidth = 7.2;
const barHeight = 26;

const style = `
text { font: 11px ui-monospace, Menlo, Consolas, monospace; fill: #222 }
.head { font-size: 14px; font-weight: bold }
.bar { stroke-width: 1; rx: 4px }
.placed .bar { fill: #dcefdc; stroke: #3d8b4f }
.unplaced .bar { fill: #ececec; stroke: #8a8a8a }
.blocked .bar { fill: #ffd6d6; stroke: #c00000; stroke-width: 2.5 }
.open .bar { stroke-dasharray: 5 3 }
.order { fill: none; stroke: #2458a6; stroke-width: 1.5; stroke-opacity: .55 }
.point { fill: #2458a6 }
.number { fill: #fff; font-size: 9px; text-anchor: middle }
.deadline { stroke: #c00000; stroke-dasharray: 4 4 }
.rule { stroke: #e2e2e2 }
`;

interface Drawn {
  readonly operation: Operation<unknown, unknown>;
  readonly bar: Bar;
  readonly description: string;
  /** Its number in the order, from 1, and the state after it. */
  readonly place: { readonly number: number; readonly state: string } | undefined;
  readonly isBlocked: boolean;
}

/**
 * Draws one part of a history: the first that is illegal, else the first that is unknown, else the first.
 * Of more than 60 operations those around the failure are drawn.
 *
 * @param result - what {@link checkLinearizable} found
 * @returns an SVG document without references to anything outside; details show on hovering
 * @since 0.1.0
 */
export function historySvg<State, Input, Output>(
  result: LinearizabilityResult<State, Input, Output>,
): string {
  const { parts, verdict, model } = result;
  const part = parts.find((it) => it.verdict === verdict);
  if (part === undefined) return document(400, 60, [heading('no operations', '')]);
  const numbers = operationsToDraw(part);
  const operations = numbers.map((at) => part.history[at] as Operation<Input, Output>);
  const descriptions = operations.map(({ input, output }) => model.describe(input, output));
  const widths = descriptions.map((text) => Math.ceil(shortened(text).length * unitWidth) + 16);
  const { bars, rows, width, height } = layOut(operations, widths);
  const places = new Map(part.longest.map(({ operation }, at) => [operation, at]));
  const placeOf = (operation: number): Drawn['place'] => {
    const at = places.get(operation);
    if (at === undefined) return undefined;
    const { state } = part.longest[at] as Placed<State>;
    return { number: at + 1, state: model.describeState(state) };
  };
  const drawn = numbers.map(
    (at, nth): Drawn => ({
      operation: operations[nth] as Operation<Input, Output>,
      bar: bars[nth] as Bar,
      description: descriptions[nth] as string,
      place: placeOf(at),
      isBlocked: at === part.blocked,
    }),
  );
  return document(width, height, [
    heading(...headOf(part, drawn)),
    ...rows.map(({ client, y }) => rowOf(client, y, width)),
    ...drawn.filter(({ isBlocked }) => isBlocked).map(({ bar }) => deadline(bar, height)),
    ...drawn.map(barOf),
    ...orderOf(drawn),
    legend(height - 14),
  ]);
}

function headOf(
  part: PartResult<unknown, unknown, unknown>,
  drawn: readonly Drawn[],
): [string, string] {
  const { history, verdict, name, longest, steps } = part;
  const words = { ok: 'linearizable', illegal: 'not linearizable', unknown: 'undecided' };
  const about = name === '' ? '' : `, part ${JSON.stringify(name)}`;
  const left = drawn.length < history.length ? `, ${drawn.length} of them drawn` : '';
  const blocked = drawn.find(({ isBlocked }) => isBlocked);
  const found =
    blocked === undefined
      ? `${longest.length} in order`
      : `after ${longest.length} in order nothing explains ${shortened(blocked.description)} of ${blocked.operation.client}`;
  return [
    `${words[verdict]}${about}`,
    `${history.length} operations${left}; ${found}; ${steps} steps`,
  ];
}

function heading(title: string, detail: string): string {
  return `<text class="head" x="12" y="24">${xmlText(title)}</text><text x="12" y="44">${xmlText(detail)}</text>`;
}

function rowOf(client: string, y: number, width: number): string {
  const line = y - 14;
  return `<line class="rule" x1="0" x2="${width}" y1="${line}" y2="${line}"/><text x="12" y="${y + 20}">${xmlText(shortened(client, 15))}</text>`;
}

function barOf({ operation, bar, description, place, isBlocked }: Drawn): string {
  const { client, callAt, returnAt } = operation;
  const isOpen = returnAt === Infinity;
  const role = isBlocked ? 'blocked' : place === undefined ? 'unplaced' : 'placed';
  const title = [
    `${client}: ${description}`,
    `called at ${callAt}, ${isOpen ? 'never answered' : `answered at ${returnAt}`}`,
    isBlocked ? 'cannot be placed' : '',
    place === undefined ? '' : `number ${place.number}, then ${place.state}`,
  ].filter((line) => line !== '');
  return [
    `<g class="${role}${isOpen ? ' open' : ''}">`,
    // Line breaks of our own; those inside a line are escaped.
    `<title>${title.map((line) => xmlText(shortened(line, 2_000))).join('\n')}</title>`,
    `<rect class="bar" x="${bar.from}" y="${bar.y}" width="${bar.to - bar.from}" height="${barHeight}"/>`,
    `<text x="${bar.from + 8}" y="${bar.y + 20}">${xmlText(shortened(description))}</text>`,
    '</g>',
  ].join('');
}

function orderOf(drawn: readonly Drawn[]): string[] {
  const placed = drawn.flatMap(({ bar, place }) =>
    place === undefined ? [] : [{ bar, number: place.number }],
  );
  placed.sort((a, b) => a.number - b.number);
  const points = pointsOf(placed.map(({ bar }) => bar));
  const line = placed.map(({ bar }, at) => `${points[at]},${bar.y}`).join(' ');
  const marks = placed.map(({ bar, number }, at) => {
    const x = points[at] as number;
    return `<circle class="point" cx="${x}" cy="${bar.y}" r="8"/><text class="number" x="${x}" y="${bar.y + 3}">${number}</text>`;
  });
  return [`<polyline class="order" points="${line}"/>`, ...marks];
}

function deadline({ to }: Bar, height: number): string {
  return `<line class="deadline" x1="${to}" x2="${to}" y1="56" y2="${height - 30}"/>`;
}

function legend(y: number): string {
  const items = [
    ['placed', 'in the order, by number'],
    ['blocked', 'cannot be placed'],
    ['unplaced', 'not reached'],
    ['unplaced open', 'never answered'],
  ];
  return items
    .map(([role, text], at) => {
      const x = 12 + at * 210;
      return `<g class="${role}"><rect class="bar" x="${x}" y="${y - 10}" width="18" height="12"/><text x="${x + 24}" y="${y}">${text}</text></g>`;
    })
    .join('');
}

function document(width: number, height: number, content: readonly string[]): string {
  const w = Math.max(Math.ceil(width), 840);
  const h = Math.ceil(height);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">`,
    `<style>${style}</style>`,
    `<rect width="${w}" height="${h}" fill="#fff"/>`,
    ...content,
    '</svg>\n',
  ].join('\n');
}

function shortened(text: string, unitsMax = labelUnitsMax): string {
  const points = [...text];
  return points.length <= unitsMax ? text : `${points.slice(0, unitsMax - 1).join('')}…`;
}
