/**
 * Rows of a table, and figures for `--json`, from one call.
 */
import type { BenchmarkOptions } from '../benchmark.js';

/** Takes a figure. */
export type Report = (name: string, value: number, unit: string, digits?: number) => void;

/** @returns where to report, and the rows so far */
export function reporter(record: BenchmarkOptions['record']) {
  const rows: string[][] = [];
  const report: Report = (name, value, unit, digits = 0) => {
    rows.push([name, `${value.toFixed(digits)} ${unit}`.trim()]);
    record({ measure: name.trim(), subject: 'kontiki', value, unit });
  };
  return { rows, report };
}

/** Bytes that look like nothing in particular. */
export function payload(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 131 + (at >> 7)) & 0xff);
}
