/**
 * What a benchmark is: a module `bench/<name>.ts` or `bench/<name>/main.ts` that exports `run`.
 */

/** One measured figure, a line of the file that `--json` names. */
export interface Figure {
  /** What was measured, e.g. `put`. */
  readonly measure: string;
  /** On what, e.g. `kontiki` or `etcd3`. */
  readonly subject: string;
  readonly value: number;
  /** Of the value, e.g. `1/s` or `ms`. */
  readonly unit: string;
  /** Whatever else tells two figures apart. */
  readonly callers?: number | undefined;
}

export interface BenchmarkOptions {
  /** Seconds of each measurement, warm-up not included. */
  readonly seconds: number;
  /** Folder on the disk to measure; each benchmark makes and removes folders of its own in it. */
  readonly folder: string;
  /** Sizes that take minutes; default false. */
  readonly full?: boolean;
  /** Keeps a figure for `--json`. */
  readonly record: (figure: Figure) => void;
}

/** Measures, and prints its own table. */
export type Benchmark = (options: BenchmarkOptions) => Promise<void>;
