/** What many seeds came to: how much was simulated, what was reached, what broke. */
import { Coverage } from '../bare/coverage.js';
import type { SeedRun } from './run-seed.js';

/** The part of a run that is kept of each. @since 0.1.0 */
export type SeedSummary = Pick<
  SeedRun,
  'profile' | 'seed' | 'simulatedMs' | 'counts' | 'violation'
>;

/** @since 0.1.0 */
export class SimTotals {
  readonly #coverage = new Coverage();
  readonly #seeds = new Coverage();
  /** Runs with a violation, in the order in which they ended. */
  readonly violations: SeedSummary[] = [];
  runs = 0;
  simulatedMs = 0;

  /** How often each mark was reached, over all runs. */
  get counts(): Readonly<Record<string, number>> {
    return this.#coverage.counts;
  }

  /** How many runs reached each mark. */
  get seedsReaching(): Readonly<Record<string, number>> {
    return this.#seeds.counts;
  }

  add(run: SeedSummary): void {
    this.runs += 1;
    this.simulatedMs += run.simulatedMs;
    this.#coverage.addAll(run.counts);
    for (const [mark, count] of Object.entries(run.counts)) {
      if (count > 0) this.#seeds.count(mark);
    }
    if (run.violation !== undefined) this.violations.push(run);
  }

  /** Those of the marks that no run reached, in their order. */
  missing(marks: readonly string[]): readonly string[] {
    return marks.filter((mark) => !(mark in this.seedsReaching));
  }
}
