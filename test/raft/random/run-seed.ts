/** A whole run from its seed, with what it takes to replay it when it fails. */
import type { RawNode } from '../../../src/raft/index.js';
import { Coverage, counters } from './coverage.js';
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

/** Everything that can be counted, zeros too. */
export function coverageOf({ cluster }: Run): Coverage {
  const { checker, coverage } = cluster;
  const { history } = checker;
  const all = new Coverage();
  for (const name of counters) all.count(name, coverage.counts[name] ?? 0);
  all.add('committed', history.length);
  all.add('terms', Math.max(...cluster.members.map(({ up }) => up.term)));
  all.add('changesApplied', history.changes);
  all.add('jointEntered', history.jointEntered);
  all.add('jointLeft', history.jointLeft);
  all.add('refusedAtApply', history.refused);
  all.add('promoted', history.promoted);
  all.add('demoted', history.demoted);
  all.add('removed', history.removed);
  all.add('snapshotsInstalled', checker.snapshots);
  all.add('transfersCompleted', checker.transfers);
  all.add('readsAnswered', checker.answeredReads);
  return all;
}
