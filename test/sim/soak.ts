/**
 * `npm run soak`: seeds of all profiles, for hours, in processes of their own.
 *
 *     npm run soak -- --for 2h --jobs 2        as much as fits into two hours
 *     npm run soak -- --store-hours 40 --core-hours 160
 *                                              so many virtual hours of whole stores and of bare cores
 *     npm run soak -- --profiles churn,away    these alone
 *     npm run soak -- --seed 500000            from this seed on, for each profile; default 1000000
 *
 * Tells every half minute how far it is, and leaves what it found in `reports/soak.json` (`--out`).
 * Exit code 1 when an invariant was broken: `kontiki sim --profile P --seed N --shrink` runs it again.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { type Duration, durationMs } from '../../src/testing/run/duration.js';
import { SoakPlan } from './soak-plan.js';
import { SoakProcess } from './soak-process.js';

const tellMs = 30_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      for: { type: 'string', default: '1h' },
      jobs: { type: 'string', default: '1' },
      seed: { type: 'string', default: '1000000' },
      profiles: { type: 'string' },
      'store-hours': { type: 'string', default: 'Infinity' },
      'core-hours': { type: 'string', default: 'Infinity' },
      out: { type: 'string', default: 'reports/soak.json' },
    },
  });
  const plan = new SoakPlan({
    profiles: values.profiles?.split(','),
    firstSeed: Number(values.seed),
    hours: { stores: Number(values['store-hours']), cores: Number(values['core-hours']) },
  });
  const startMs = performance.now();
  const endMs = startMs + durationMs(values.for as Duration, '--for');
  const save = () => write(values.out, plan.report(performance.now() - startMs));
  const teller = setInterval(() => {
    console.log(plan.progress(performance.now() - startMs));
    save();
  }, tellMs);
  const jobs = Array.from({ length: Number(values.jobs) }, () => work(plan, endMs));
  await Promise.all(jobs);
  clearInterval(teller);
  save();
  console.log(plan.table(performance.now() - startMs));
  process.exitCode = plan.violations.length > 0 ? 1 : 0;
}

/** Runs one seed after the other until time or plan is over. */
async function work(plan: SoakPlan, endMs: number): Promise<void> {
  const worker = new SoakProcess();
  while (performance.now() < endMs) {
    const task = plan.next();
    if (task === undefined) break;
    const answer = await worker.run(task);
    plan.done(answer);
    const { profile, seed, violation } = answer;
    if (violation === undefined) continue;
    console.log(`VIOLATION ${violation.id}: ${violation.message.split('\n', 1)[0]}`);
    console.log(`  kontiki sim --profile ${profile} --seed ${seed} --shrink`);
  }
  worker.stop();
}

/** In one step: whoever reads it meanwhile finds the one before. */
function write(path: string, report: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(report, undefined, 1)}\n`);
  renameSync(`${path}.new`, path);
}

await main();
