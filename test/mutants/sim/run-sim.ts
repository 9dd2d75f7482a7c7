/**
 * `npm run mutants -- --sim`: puts one bug at a time into the whole stack, and counts the seeds until
 * a simulation of 20 seconds breaks an invariant (reliability plan §2, §7.7).
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { copyOfProject } from '../project-copy.js';
import { compileRunner, type Hunt, hunt } from './hunt.js';
import { isSurvivor, reportOf } from './report.js';
import { Results } from './results.js';
import { breakCopy, editsOf, type SimDefect } from './sim-defect.js';

/** How far to look. */
export interface SimOptions {
  /** Seeds of a range, at most. */
  readonly seeds: number;
  /** Disjoint ranges of seeds. */
  readonly ranges: number;
  /** Copies that are run at the same time. */
  readonly jobs: number;
  /** Forgets what earlier runs found. */
  readonly isFresh: boolean;
  /** Runs only seeds of this profile; the result is told and not kept. */
  readonly profile?: string | undefined;
}

/** Bare cores run a hundred times as fast: for bugs in the core, a seed is one of each as well. */
const coreProfiles = ['cores', 'cores-leases', 'cores-late'] as const;

/** Between the first seeds of two ranges: they are disjoint, however long. */
const rangeStride = 1_000_000;
const reports = fileURLToPath(new URL('../../../reports', import.meta.url));
/** Runs of the sources as they are, which must hold: else everything would seem to be killed. */
const soundSeeds = 3;

/**
 * Hunts for `defects`, and writes the report on `all`: what earlier runs found is in it, and not sought
 * again.
 *
 * @returns whether every one of `defects` was noticed that is not argued to be equivalent
 */
export async function runSim(
  defects: readonly SimDefect[],
  all: readonly SimDefect[],
  options: SimOptions,
): Promise<boolean> {
  const results = await Results.open(`${reports}/mutants-sim.json`, options.isFresh);
  const queue = [...defects];
  const broken: string[] = [];
  let done = 0;
  const run = async (at: number) => {
    const dir = await copyOfProject();
    try {
      if (at === 0) await checkSound(dir);
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { name } = next;
        // The others are worth their hours all the same.
        await judge(dir, next, { ...options, results }).catch((error: Error) => {
          broken.push(`${name}: ${error.message}`);
        });
        done += 1;
        console.log(`  ${done}/${defects.length} done`);
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, (_, at) => run(at)));
  await writeReport(all, results);
  for (const line of broken) console.error(`no defect: ${line}`);
  if (broken.length > 0) return false;
  return !defects.some((defect) => isSurvivor({ defect, hunts: results.huntsOf(defect) }));
}

/** Writes the table of all that is known, and runs nothing. */
export async function tellSim(all: readonly SimDefect[]): Promise<void> {
  await writeReport(all, await Results.open(`${reports}/mutants-sim.json`, false));
}

/** Those that no run so far has killed. */
export async function survivorsOf(all: readonly SimDefect[]): Promise<readonly SimDefect[]> {
  const results = await Results.open(`${reports}/mutants-sim.json`, false);
  return all.filter((defect) => isSurvivor({ defect, hunts: results.huntsOf(defect) }));
}

async function checkSound(dir: string): Promise<void> {
  const profiles = [...coreProfiles, 'standard'];
  await compileRunner(dir);
  const { killer } = await hunt(dir, { first: 1, count: soundSeeds, profiles });
  if (killer === undefined) return;
  throw new Error(`fails without any defect: seed ${killer.seed}, ${killer.id}: ${killer.message}`);
}

async function judge(
  dir: string,
  defect: SimDefect,
  { profile, ranges, results, seeds: count }: SimOptions & { readonly results: Results },
): Promise<void> {
  const profiles = profile === undefined ? profilesFor(defect) : [profile];
  // Of one that nothing can notice, once is enough to see whether that is so.
  const hunts = defect.equivalent === undefined ? ranges : 1;
  const restore = await breakCopy(dir, defect);
  try {
    await compileRunner(dir);
    for (let range = 0; range < hunts; range += 1) {
      const first = 1 + range * rangeStride;
      const known = profile === undefined ? results.find(defect, first, count) : undefined;
      const found = known ?? (await hunt(dir, { first, count, profiles }));
      console.log(`${defect.name}\n  ${known ? 'known: ' : ''}${sentence(found, count)}`);
      if (known === undefined && profile === undefined) {
        await results.add(defect, { ...found, first, count });
      }
    }
  } finally {
    await restore();
  }
}

function profilesFor(defect: SimDefect): readonly string[] {
  const { profile = 'standard' } = defect;
  const isOfCore = editsOf(defect).some(({ file }) => file.startsWith('raft/'));
  return isOfCore ? [...coreProfiles, profile] : [profile];
}

function sentence({ killer, seeds }: Hunt, seedsMax: number): string {
  if (killer === undefined) return `SURVIVED ${seedsMax} seeds`;
  const message = killer.message.split('\n', 1)[0]?.slice(0, 160);
  return `${killer.id} after ${seeds} (seed ${killer.seed}): ${message}`;
}

async function writeReport(all: readonly SimDefect[], results: Results): Promise<void> {
  const report = reportOf(all.map((defect) => ({ defect, hunts: results.huntsOf(defect) })));
  await mkdir(reports, { recursive: true });
  await writeFile(`${reports}/mutants-sim.md`, report);
  console.log(`\n${report}`);
}
