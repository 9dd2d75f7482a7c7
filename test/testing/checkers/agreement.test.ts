// Goal: the search, which knows only what clients saw, and the cheap check, which knows the log, come
// to the same verdict. The search is shown the log by an observer that reads every revision at the end.
// `KONTIKI_DEPTH=n` checks n times as many histories (50: 100,000), `KONTIKI_SEED=n` one alone.
import { expect, test } from 'vitest';
import { Prng, randomInt } from '../../../src/base/prng.js';
import {
  keyspaceModel,
  keyspaceSpecification,
} from '../../../src/testing/checkers/keyspace-model.js';
import { checkLinearizable } from '../../../src/testing/checkers/linearizability.js';
import { checkLog } from '../../../src/testing/checkers/log-check.js';
import { LogReplay } from '../../../src/testing/checkers/log-replay.js';
import { answeredByLog, mutated, mutationNames } from './mutations.js';
import { everything, type InputKind } from './random-input.js';
import { type KeyspaceOperation, type RandomRun, randomRun } from './random-run.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const onlySeed = process.env.KONTIKI_SEED;
const seeds = onlySeed === undefined ? range(1, 2_000 * depth + 1) : [Number(onlySeed)];
const timeoutMs = 60_000 * depth;

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}

/** What clients saw: nothing of the log, nothing of what was turned away. */
function clientsView({ history }: RandomRun): KeyspaceOperation[] {
  return history
    .filter((it) => it.outcome === 'ok' || (it.outcome === 'unknown' && it.request !== undefined))
    .map((it) => (it.outcome === 'ok' ? it : { ...it, returnAt: Infinity, output: undefined }));
}

/** Reads of every revision that the log made, one after the other, when all is over. */
function observer({ log }: RandomRun): KeyspaceOperation[] {
  const last = new LogReplay(keyspaceSpecification, log).states.at(-1)!;
  return range(1, last.revision + 1).map((revision): KeyspaceOperation => {
    const input = { op: 'range', keys: everything, revision } as const;
    const output = keyspaceSpecification.execute(last, input).answer;
    const callAt = 1_000 + 2 * revision;
    return { client: 'observer', input, output, callAt, returnAt: callAt + 1, outcome: 'ok' };
  });
}

function verdicts(run: RandomRun, withObserver: boolean) {
  const history = withObserver ? [...clientsView(run), ...observer(run)] : clientsView(run);
  const { verdict } = checkLinearizable(keyspaceModel(), history);
  const findings = checkLog(keyspaceSpecification, run);
  return { search: verdict, cheap: findings.length === 0 ? 'ok' : 'illegal', findings };
}

/** A legal run for every fourth seed, else a broken one; one in three looks right but for its log. */
function runOf(seed: number, kind: InputKind): { readonly run: RandomRun; readonly name: string } {
  const random = new Prng(seed ^ 0x5eed);
  const run = randomRun(seed, kind);
  if (seed % 4 === 0) return { run, name: 'legal' };
  const name = mutationNames[randomInt(random, mutationNames.length)]!;
  const broken = mutated(run, name, random);
  return { run: randomInt(random, 3) === 0 ? answeredByLog(broken) : broken, name };
}

test(
  'histories that show their log -> search and cheap check agree',
  () => {
    const counts = new Map<string, { ok: number; illegal: number }>();
    let operations = 0;
    for (const seed of seeds) {
      const { run, name } = runOf(seed, 'stamped');
      operations += run.history.length;
      const { search, cheap, findings } = verdicts(run, true);
      const message = `KONTIKI_SEED=${seed}, ${name}: ${findings[0]?.message}`;
      expect(search, message).toBe(cheap);
      if (name === 'legal') expect(search, message).toBe('ok');
      const count = counts.get(name) ?? { ok: 0, illegal: 0 };
      count[search === 'ok' ? 'ok' : 'illegal'] += 1;
      counts.set(name, count);
    }
    if (onlySeed !== undefined) return;
    const counted = JSON.stringify(Object.fromEntries(counts));
    process.stdout.write(`${seeds.length} histories, ${operations} operations: ${counted}\n`);
    // A mutation that never breaks anything would prove little.
    for (const name of mutationNames) expect(counts.get(name)?.illegal, name).toBeGreaterThan(0);
  },
  timeoutMs,
);

test(
  'histories of any commands -> what the cheap check lets pass is linearizable',
  () => {
    let passed = 0;
    let illegal = 0;
    for (const seed of seeds) {
      const { run, name } = runOf(seed, 'any');
      const { search, cheap, findings } = verdicts(run, false);
      const message = `KONTIKI_SEED=${seed}, ${name}: ${findings[0]?.message}`;
      if (name === 'legal') expect(cheap, message).toBe('ok');
      if (cheap === 'ok') expect(search, message).toBe('ok');
      if (cheap === 'ok') passed += 1;
      if (search === 'illegal') illegal += 1;
    }
    if (onlySeed !== undefined) return;
    expect(passed / seeds.length).toBeGreaterThan(0.2);
    expect(illegal / seeds.length).toBeGreaterThan(0.1);
  },
  timeoutMs,
);
