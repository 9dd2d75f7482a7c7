/**
 * A run that once broke an invariant, as a file to be run for as long as the code lives (reliability
 * §7.5): with all that was drawn, because a seed alone dies when the code draws differently.
 */
import { kontikiError } from '../../base/errors.js';
import { scenarioMismatch } from '../run/scenario-shape.js';
import { shown } from '../shown.js';
import type { DrawnRun } from './profiles.js';
import { runDrawn, type SeedRun } from './run-seed.js';

/** @since 0.1.0 */
export interface Regression {
  /** Of the invariant that it broke. */
  readonly invariant: string;
  /** What was wrong, in a line. */
  readonly cause: string;
  /** Of the package that it was found in. */
  readonly version: string;
  /** Name of the profile that it was found with. */
  readonly profile: string;
  readonly run: DrawnRun;
}

/**
 * The text of a file that keeps a run with a violation. Its `cause` is what the run said: to be
 * replaced by what was wrong, once that is known.
 *
 * @param run - has a violation
 * @param version - of the package
 * @since 0.1.0
 */
export function regressionText(run: SeedRun, version: string): string {
  const { violation, profile, drawn } = run;
  const regression: Regression = {
    invariant: violation?.id ?? 'none',
    cause: violation?.message.split('\n', 1)[0] ?? '',
    version,
    profile,
    run: drawn,
  };
  return `${JSON.stringify(regression, undefined, 2)}\n`;
}

/**
 * Reads what {@link regressionText} wrote.
 *
 * @throws {KontikiError} OPTIONS_INVALID
 * @since 0.1.0
 */
export function readRegression(text: string): Regression {
  const { invariant, cause, version, profile, run } = JSON.parse(text) as Partial<Regression>;
  for (const field of [invariant, cause, version, profile]) {
    if (typeof field !== 'string' || field === '') throw invalid('four texts', field);
  }
  const seed = run?.scenario?.seed ?? run?.cores?.seed;
  if (!Number.isSafeInteger(seed)) throw invalid('a run with a seed', run);
  const found = run?.scenario && scenarioMismatch(run.scenario);
  if (found !== undefined) throw invalid(`${found.name} to be ${found.expected}`, found.got);
  return { invariant, cause, version, profile, run } as Regression;
}

/** Runs it again. @since 0.1.0 */
export function runRegression({ profile, run }: Regression): Promise<SeedRun> {
  return runDrawn(profile, run);
}

function invalid(expected: string, got: unknown): Error {
  return kontikiError('OPTIONS_INVALID', `regression: expected ${expected}, got ${shown(got)}`);
}
