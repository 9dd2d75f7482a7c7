/**
 * `npm run mutants -- --sim`: puts one bug at a time into the whole stack, and counts the seeds until
 * a simulation of 20 seconds breaks an invariant (reliability plan §2, §7.7).
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { copyOfProject } from '../project-copy.js';
import { type Hunt, hunt } from './hunt.js';
import { medianSeeds, reportOf, type SimVerdict } from './report.js';
import { breakCopy, type SimDefect } from './sim-defect.js';

/** How far to look. */
export interface SimOptions {
  /** Seeds of a range, at most. */
  readonly seeds: number;
  /** Disjoint ranges of seeds. */
  readonly ranges: number;
  /** Copies that are run at the same time. */
  readonly jobs: number;
  /** Write the report: this is the whole list. */
  readonly isWhole: boolean;
}

/** The machine is for others too. */
export const jobsDefault = Math.min(2, cpus().length);
/** Runs of the sources as they are, which must hold: else everything would seem to be killed. */
const soundSeeds = 3;

/** @returns whether every defect was noticed that is not argued to be equivalent */
export async function runSim(defects: readonly SimDefect[], options: SimOptions): Promise<boolean> {
  const { isWhole, jobs, seeds } = options;
  const verdicts: SimVerdict[] = [];
  const queue = [...defects];
  const run = async (at: number) => {
    const dir = await copyOfProject();
    try {
      if (at === 0) await checkSound(dir);
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        verdicts.push(await judge(dir, next, options));
        console.log(`  ${verdicts.length}/${defects.length} done`);
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  };
  await Promise.all(Array.from({ length: jobs }, (_, at) => run(at)));
  const order = (verdict: SimVerdict) => defects.indexOf(verdict.defect);
  const report = reportOf(
    verdicts.toSorted((a, b) => order(a) - order(b)),
    seeds,
  );
  if (isWhole) await writeReport(report);
  console.log(`\n${report}`);
  return verdicts.every(
    (verdict) => medianSeeds(verdict) !== undefined || verdict.defect.equivalent !== undefined,
  );
}

async function checkSound(dir: string): Promise<void> {
  const { killer } = await hunt(dir, 1, soundSeeds);
  if (killer === undefined) return;
  throw new Error(`fails without any defect: seed ${killer.seed}, ${killer.id}: ${killer.message}`);
}

async function judge(
  dir: string,
  defect: SimDefect,
  { ranges, seeds }: SimOptions,
): Promise<SimVerdict> {
  const restore = await breakCopy(dir, defect);
  const hunts: Hunt[] = [];
  try {
    for (let range = 0; range < ranges; range += 1) {
      const found = await hunt(dir, 1 + range * seeds, seeds);
      hunts.push(found);
      console.log(`${defect.name}\n  ${sentence(found, seeds)}`);
    }
  } finally {
    await restore();
  }
  return { defect, hunts };
}

function sentence({ killer, seeds }: Hunt, seedsMax: number): string {
  if (killer === undefined) return `SURVIVED ${seedsMax} seeds`;
  const message = killer.message.split('\n', 1)[0]?.slice(0, 160);
  return `${killer.id} after ${seeds} (seed ${killer.seed}): ${message}`;
}

async function writeReport(report: string): Promise<void> {
  const dir = fileURLToPath(new URL('../../../reports', import.meta.url));
  await mkdir(dir, { recursive: true });
  await writeFile(`${dir}/mutants-sim.md`, report);
}
