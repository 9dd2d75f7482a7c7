/** One seed of a profile, whichever simulator it runs on. */
import { simulateCores } from '../bare/simulate-cores.js';
import { simulateStore } from '../run/simulate.js';
import type { Violation } from '../run/simulation.js';
import type { DrawnRun, SimProfile } from './profiles.js';

/** What came of a seed. @since 0.1.0 */
export interface SeedRun {
  /** Name of the profile. */
  readonly profile: string;
  readonly seed: number;
  readonly drawn: DrawnRun;
  readonly violation: Violation | undefined;
  readonly simulatedMs: number;
  /** How often each mark was reached, and other figures. */
  readonly counts: Readonly<Record<string, number>>;
  /** The newest lines of the trace; of bare cores only when asked for by `traceLines`. */
  readonly trace: readonly string[];
}

/**
 * Runs a seed.
 *
 * @param profile - one of `simProfiles`, or one's own
 * @param seed - any safe integer
 * @returns what came of it; it never rejects for what the code under test does
 * @since 0.1.0
 */
export function runSeed(profile: SimProfile, seed: number): Promise<SeedRun> {
  return runDrawn(profile.name, profile.draw(seed));
}

/**
 * Runs what was drawn from a seed before, or what became of it.
 *
 * @param profile - its name
 * @param drawn - as `SimProfile.draw` gives it
 * @since 0.1.0
 */
export async function runDrawn(profile: string, drawn: DrawnRun): Promise<SeedRun> {
  if (drawn.scenario !== undefined) {
    const { seed } = drawn.scenario;
    const { violation, simulatedMs, figures, trace } = await simulateStore(drawn.scenario);
    return { profile, seed, drawn, violation, simulatedMs, counts: figures, trace };
  }
  const { seed, violations, simulatedMs, coverage, trace } = simulateCores(drawn.cores);
  const [violation] = violations;
  return { profile, seed, drawn, violation, simulatedMs, counts: coverage, trace };
}
