/**
 * The figures of a run, one row per measure, one column for the cluster and one per member.
 */
import type { Tally } from './load.js';

export interface Row {
  readonly measure: string;
  readonly cells: readonly string[];
}

/** Lines of a table; figures stand at the right of their column. */
export function formatTable(header: readonly string[], rows: readonly Row[]): string {
  const all = [header, ...rows.map(({ measure, cells }) => [measure, ...cells])];
  const widths = header.map((_, column) =>
    Math.max(...all.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, column) => {
        const cell = cells[column] ?? '';
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('   ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('   ');
  return [line(header), rule, ...all.slice(1).map(line)].join('\n');
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** A percentile of the put latencies, e.g. `0.99`, in milliseconds. */
export function formatLatency(tally: Tally, fraction: number): string {
  const sorted = Float64Array.from(tally.latenciesMs).sort();
  const ms = sorted[Math.floor((sorted.length - 1) * fraction)];
  return ms === undefined ? '-' : ms.toFixed(2);
}
