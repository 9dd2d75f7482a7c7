/** A whole run from its seed, with what it takes to replay it when it fails. */
import type { RawNode } from '../../../src/raft/index.js';
import { Run } from './run.js';

const stepsPerRun = 2_500;

/** @param onNode - told of every node before it does anything */
export function runSeed(seed: number, onNode?: (node: RawNode) => void): Run {
  let run: Run | undefined;
  try {
    run = new Run(seed, onNode);
    for (let step = 0; step < stepsPerRun; step += 1) run.step();
    run.recover();
    return run;
  } catch (error) {
    throw new Error(
      `seed ${seed}: ${(error as Error).message}\n` +
        `replay: KONTIKI_SEED=${seed} npx vitest run test/raft/random.test.ts\n` +
        run?.describe(Number(process.env.KONTIKI_TRACE ?? 40)),
      { cause: error },
    );
  }
}

/** What must happen at times, for the runs to say anything. */
const expected = [
  'advances',
  'changesOvertaken',
  'compactions',
  'forwarded',
  'leaseReads',
  'overtaken',
  'refusedAtApply',
  'refusedAtPropose',
  'snapshotsInstalled',
  'turnedDown',
];

/** Everything that can be counted, zeros too. */
export function coverageOf({ cluster }: Run): Readonly<Record<string, number>> {
  const { coverage, steps } = cluster.checker;
  for (const name of expected) coverage.count(name, 0);
  steps.finish();
  return coverage.counts;
}
