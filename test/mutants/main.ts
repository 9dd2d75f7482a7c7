/**
 * `npm run mutants`: breaks one rule of the Raft core at a time and reports which test notices. Works
 * on a copy, so the sources are never touched.
 *
 *     npm run mutants                    all of them (a few minutes each ten)
 *     npm run mutants -- --only lease    those whose name contains it
 *     npm run mutants -- --sample 6      so many, spread over the list, others each day
 *     npm run mutants -- --list          names alone
 *     npm run mutants -- --sim           others, all over the sources, against simulations of the whole
 *                                        stack; with `--seeds 2000` at most, `--ranges 1`, `--jobs 1`
 *
 * Those of `--sim` are kept in `reports/mutants-sim.json`, and told as a table beside it: what is known is
 * not run again, so that a long run may be cut short, done in parts, or given more seeds or ranges.
 *
 *     npm run mutants -- --sim --table         the table of what is known, runs nothing
 *     npm run mutants -- --sim --survivors     those that nothing has killed so far
 *     npm run mutants -- --sim --fresh         forgets what is known: when the simulator has changed
 *     npm run mutants -- --sim --profile power with seeds of one profile; the result is not kept
 *
 * Exit code 1 when one survives that is not argued to be equivalent where it is defined.
 */
import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Defect, withDefect } from './defect.js';
import { copyOfProject } from './project-copy.js';
import { raftDefects } from './raft-defects.js';
import { runSim, survivorsOf, tellSim } from './sim/run-sim.js';
import { simDefects } from './sim-defects.js';

const timeoutMs = 300_000;

/** Cheap tests first: most defects fall to them. */
const stages: readonly (readonly string[])[] = [
  ['test/raft', '--exclude', 'test/raft/random*', '--exclude', 'test/raft/random/**'],
  ['test/raft/random'],
];

interface Verdict {
  readonly defect: Defect;
  /** Names of tests that failed first; empty when it survived. */
  readonly killers: readonly string[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      sample: { type: 'string' },
      list: { type: 'boolean', default: false },
      sim: { type: 'boolean', default: false },
      seeds: { type: 'string', default: '2000' },
      ranges: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '1' },
      table: { type: 'boolean', default: false },
      survivors: { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
  const { list, profile } = values;
  if (list) {
    for (const { name } of choose(values.sim ? simDefects : raftDefects, values)) console.log(name);
    return;
  }
  if (values.sim) {
    if (values.table) return tellSim(simDefects);
    const [seeds = 0, ranges = 0, jobs = 0] = [values.seeds, values.ranges, values.jobs].map(count);
    const among = values.survivors ? await survivorsOf(simDefects) : simDefects;
    const options = { seeds, ranges, jobs, isFresh: values.fresh, profile };
    const isFound = await runSim(choose(among, values), simDefects, options);
    process.exitCode = isFound ? 0 : 1;
    return;
  }
  const defects = choose(raftDefects, values);
  const verdicts = await runAll(defects);
  const survivors = verdicts.filter(({ killers }) => killers.length === 0);
  console.log(`\n${verdicts.length - survivors.length} of ${verdicts.length} killed`);
  for (const { defect } of survivors) {
    const { name, file, equivalent = 'no test notices' } = defect;
    console.log(`survived: ${name} (${file}): ${equivalent}`);
  }
  const unexplained = survivors.filter(({ defect }) => defect.equivalent === undefined);
  process.exitCode = unexplained.length === 0 ? 0 : 1;
}

interface Choice {
  readonly only?: string | undefined;
  readonly sample?: string | undefined;
}

function choose<D extends Defect>(all: readonly D[], { only = '', sample }: Choice): readonly D[] {
  // Names have no commas.
  const parts = only.split(',');
  const matching = all.filter(({ name }) => parts.some((part) => name.includes(part)));
  const wanted = sample === undefined ? matching.length : count(sample);
  const step = Math.max(1, Math.floor(matching.length / wanted));
  const first = Math.floor(Date.now() / 86_400_000) % step;
  return matching.filter((_, at) => at % step === first).slice(0, wanted);
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`expected a count, got ${text}`);
}

/** As many at a time as there are processors. */
async function runAll(defects: readonly Defect[]): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  const queue = [...defects];
  await checkUnbroken();
  await Promise.all(
    cpus().map(async () => {
      const dir = await copyOfProject();
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const verdict = await run(next, dir);
        verdicts.push(verdict);
        const done = `${verdicts.length}/${defects.length}`;
        const [killer = 'SURVIVED'] = verdict.killers;
        console.log(`${done.padStart(8)}  ${next.name}\n          ${killer}`);
      }
      await rm(dir, { recursive: true });
    }),
  );
  return verdicts;
}

/** A test that fails anyway would seem to kill everything. */
async function checkUnbroken(): Promise<void> {
  const dir = await copyOfProject();
  try {
    for (const stage of stages) {
      const [failed] = await failures(stage, dir);
      if (failed !== undefined) throw new Error(`fails without any defect: ${failed}`);
    }
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function run(defect: Defect, dir: string): Promise<Verdict> {
  const path = join(dir, 'src/raft', defect.file);
  const source = await readFile(path, 'utf8');
  await writeFile(path, withDefect(source, defect));
  try {
    for (const stage of stages) {
      const killers = await failures(stage, dir);
      if (killers.length > 0) return { defect, killers };
    }
    return { defect, killers: [] };
  } finally {
    await writeFile(path, source);
  }
}

/** Runs a part of the tests up to its first failures. */
async function failures(stage: readonly string[], dir: string): Promise<readonly string[]> {
  const report = join(dir, 'out/report.json');
  await rm(report, { force: true });
  const args = [
    'vitest',
    'run',
    ...stage,
    '--bail',
    '1',
    '--reporter=json',
    '--outputFile',
    report,
  ];
  const ended = await exitOf(args, dir);
  if (ended === 'timeout') return ['no end within the time: the run hangs'];
  if (ended === 0) return [];
  const text = await readFile(report, 'utf8').catch(() => '{}');
  return failedNames(JSON.parse(text) as Report);
}

interface Report {
  readonly testResults?: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function failedNames({ testResults = [] }: Report): readonly string[] {
  const names = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  );
  if (names.length > 0) return names;
  const [file] = testResults.filter(({ message }) => message !== '');
  return [file === undefined ? 'the run itself failed' : `${file.name}: ${file.message}`];
}

function exitOf(args: readonly string[], cwd: string): Promise<number | 'timeout'> {
  return new Promise((resolve, reject) => {
    const child = spawn('npx', args, { cwd, stdio: 'ignore', detached: true });
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      resolve('timeout');
    }, timeoutMs);
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(timer);
      resolve(code ?? 1);
    });
  });
}

await main();
