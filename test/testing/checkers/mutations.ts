/** Ways to break the truth of a random run: each is a defect that a real system has had. */
import { type Random, randomInt } from '../../../src/base/prng.js';
import { executeOnKeyspace } from '../../../src/testing/checkers/keyspace-execution.js';
import type {
  KeyspaceInput,
  KeyspaceOutput,
} from '../../../src/testing/checkers/keyspace-model.js';
import { keyspaceSpecification } from '../../../src/testing/checkers/keyspace-model.js';
import { LogReplay } from '../../../src/testing/checkers/log-replay.js';
import type { LogEntry } from '../../../src/testing/checkers/log-types.js';
import { stampOf } from './random-input.js';
import { type KeyspaceOperation, type RandomRun, seen } from './random-run.js';

interface Draft {
  log: LogEntry<KeyspaceInput>[];
  history: KeyspaceOperation[];
}

type Mutation = (draft: Draft, random: Random) => void;

const pick = <T>(items: readonly T[], random: Random): number =>
  randomInt(random, Math.max(1, items.length));

export const mutations = {
  'answers are swapped': ({ history }, random) => {
    const [one, other] = [pick(history, random), pick(history, random)];
    const [a, b] = [history[one], history[other]];
    if (a?.outcome !== 'ok' || b?.outcome !== 'ok') return;
    history[one] = { ...a, output: b.output };
    history[other] = { ...b, output: a.output };
  },
  'a command is lost': ({ log }, random) => {
    log.splice(pick(log, random), 1);
  },
  'a read is stale': (draft, random) => {
    const reads = draft.history.filter((it) => it.request === undefined && it.outcome === 'ok');
    const read = reads[pick(reads, random)];
    if (read === undefined) return;
    const { states } = new LogReplay(keyspaceSpecification, draft.log);
    const { answer } = executeOnKeyspace(states[pick(states, random)]!, read.input);
    draft.history[draft.history.indexOf(read)] = { ...read, output: answer };
  },
  'a command is applied twice': ({ log }, random) => {
    const entry = log[pick(log, random)];
    if (entry !== undefined) log.splice(pick(log, random), 0, entry);
  },
  'a command comes at another place': ({ log }, random) => {
    const [entry] = log.splice(pick(log, random), 1);
    if (entry !== undefined) log.splice(randomInt(random, log.length + 1), 0, entry);
  },
  'calls are at other times': ({ history }, random) => {
    const at = pick(history, random);
    const it = history[at];
    if (it === undefined) return;
    const by = randomInt(random, 41) - 20;
    history[at] = { ...it, callAt: it.callAt + by, returnAt: it.returnAt + by };
  },
  'an outcome is another': ({ history }, random) => {
    const at = pick(history, random);
    const it = history[at];
    if (it?.request === undefined) return;
    const outcome = it.outcome === 'rejected' ? 'unknown' : 'rejected';
    history[at] = { ...it, outcome, returnAt: Infinity, output: undefined };
  },
  'a command is altered': ({ log }, random) => {
    const at = pick(log, random);
    const it = log[at];
    if (it?.input.op !== 'txn' || typeof it.request !== 'number') return;
    const other = stampOf(it.request, 'y');
    const altered = (branch: typeof it.input.success) => [...branch.slice(0, -1), other];
    const { success, failure } = it.input;
    const input = { ...it.input, success: altered(success), failure: altered(failure) };
    log[at] = { ...it, input };
  },
  'nobody asked': ({ history }, random) => {
    history.splice(pick(history, random), 1);
  },
} as const satisfies Readonly<Record<string, Mutation>>;

export type MutationName = keyof typeof mutations;

export const mutationNames = Object.keys(mutations) as MutationName[];

/** The run with a mutation. */
export function mutated(run: RandomRun, name: MutationName, random: Random): RandomRun {
  const draft = { log: [...run.log], history: [...run.history] };
  const mutation: Mutation = mutations[name];
  mutation(draft, random);
  return draft;
}

/**
 * The run with the answers that its log gives: what is wrong with it shows in times and names alone.
 */
export function answeredByLog(run: RandomRun): RandomRun {
  const { states, answers } = new LogReplay(keyspaceSpecification, run.log);
  const history = run.history.map((it): KeyspaceOperation => {
    if (it.outcome !== 'ok') return it;
    const output = it.output as KeyspaceOutput;
    if (it.request === undefined) {
      const revision = keyspaceSpecification.revisionSeen(output) ?? 1;
      const state = states[Math.min(revision, states.length) - 1]!;
      return { ...it, output: executeOnKeyspace(state, it.input).answer };
    }
    const entry = run.log.findIndex(({ request }) => request === it.request);
    return entry < 0 ? it : { ...it, output: seen(answers[entry] as KeyspaceOutput) };
  });
  return { log: run.log, history };
}
