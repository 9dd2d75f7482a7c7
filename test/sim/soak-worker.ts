/** A process of the soak: runs the seeds it is told to run, one after the other. */
import { simProfiles } from '../../src/testing/swarm/profiles.js';
import { runSeed } from '../../src/testing/swarm/run-seed.js';
import type { SeedSummary } from '../../src/testing/swarm/sim-totals.js';

export interface SoakTask {
  readonly profile: string;
  readonly seed: number;
}

export interface SoakAnswer extends SeedSummary {
  readonly realMs: number;
  /** Newest lines of the trace, of a run that broke something. */
  readonly trace: readonly string[];
}

process.on('message', async ({ profile, seed }: SoakTask) => {
  const chosen = simProfiles.get(profile);
  if (chosen === undefined) throw new Error(`no profile '${profile}'`);
  const startMs = performance.now();
  const { simulatedMs, counts, violation, trace } = await runSeed(chosen, seed);
  const realMs = performance.now() - startMs;
  const lines = violation === undefined ? [] : trace.slice(-40);
  const answer: SoakAnswer = {
    profile,
    seed,
    simulatedMs,
    counts,
    violation,
    realMs,
    trace: lines,
  };
  process.send?.(answer);
});
