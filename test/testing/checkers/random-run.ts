/**
 * Small random runs of a keyspace that keeps its promises: clients call, commands are applied between
 * call and answer, some answers are lost, some commands are turned away. The log and the history are
 * true by construction.
 */
import { Prng, randomInt } from '../../../src/base/prng.js';
import { executeOnKeyspace } from '../../../src/testing/checkers/keyspace-execution.js';
import type {
  KeyspaceInput,
  KeyspaceOutput,
} from '../../../src/testing/checkers/keyspace-model.js';
import { emptyKeyspace, type KeyspaceState } from '../../../src/testing/checkers/keyspace-state.js';
import type { LogEntry, LoggedOperation } from '../../../src/testing/checkers/log-types.js';
import { drawInput, type InputKind } from './random-input.js';

export type KeyspaceOperation = LoggedOperation<KeyspaceInput, KeyspaceOutput>;

export interface RandomRun {
  readonly log: readonly LogEntry<KeyspaceInput>[];
  readonly history: readonly KeyspaceOperation[];
}

interface Call {
  readonly client: number;
  readonly request: number | undefined;
  readonly input: KeyspaceInput;
  readonly callAt: number;
  isOver: boolean;
  answer?: KeyspaceOutput;
}

/** One run in the making; each step is one event. */
class Draft {
  readonly random: Prng;
  readonly log: LogEntry<KeyspaceInput>[] = [];
  readonly history: KeyspaceOperation[] = [];
  readonly #kind: InputKind;
  readonly #open: Call[] = [];
  /** Commands whose clients gave up, which may still be applied. */
  readonly #stray: Call[] = [];
  #state: KeyspaceState = emptyKeyspace();
  #now = 0;
  #calls = 0;

  constructor(seed: number, kind: InputKind) {
    this.random = new Prng(seed);
    this.#kind = kind;
  }

  step(clients: number, isEnding: boolean): void {
    // Now and then two events share a time.
    if (randomInt(this.random, 5) > 0) this.#now += 1;
    const choice = randomInt(this.random, 20);
    const call = this.#open[randomInt(this.random, Math.max(1, this.#open.length))];
    if (choice < 7 && !isEnding) this.#call(clients);
    else if (choice < 8 && this.#stray.length > 0) this.#apply(this.#stray.shift()!);
    else if (call === undefined) return;
    else if (call.answer === undefined && choice < 14) this.#apply(call);
    else if (call.answer !== undefined && choice < 18) this.#over(call, 'ok');
    else if (call.answer === undefined && choice === 18) this.#over(call, 'rejected');
    else if (choice === 19) this.#over(call, 'unknown');
  }

  finish(): RandomRun {
    for (const call of [...this.#open]) this.#over(call, 'unknown');
    return { log: this.log, history: this.history };
  }

  #call(clients: number): void {
    const client = randomInt(this.random, clients);
    if (this.#open.some((it) => it.client === client)) return;
    const nth = this.#calls;
    this.#calls += 1;
    const { input, isLogged } = drawInput(this.random, this.#kind, {
      nth,
      revision: this.#state.revision,
    });
    const request = isLogged ? nth : undefined;
    this.#open.push({ client, request, input, callAt: this.#now, isOver: false });
  }

  #apply(call: Call): void {
    const place = { term: 1, index: this.log.length + 1 };
    const { state, answer } = executeOnKeyspace(this.#state, call.input, place);
    this.#state = state;
    call.answer = seen(answer);
    if (call.request !== undefined) {
      this.log.push({ request: call.request, input: call.input, place });
    }
  }

  #over(call: Call, outcome: KeyspaceOperation['outcome']): void {
    this.#open.splice(this.#open.indexOf(call), 1);
    const { client, request, input, callAt, answer } = call;
    if (outcome === 'unknown' && request !== undefined && answer === undefined) {
      this.#stray.push(call);
    }
    const isOk = outcome === 'ok';
    const output = isOk ? answer : undefined;
    const returnAt = isOk ? this.#now : Infinity;
    this.history.push({ client, request, input, output, callAt, returnAt, outcome });
  }
}

/** No client sees which entry granted a lease. */
export function seen(answer: KeyspaceOutput): KeyspaceOutput {
  if (!('lease' in answer) || answer.lease === undefined) return answer;
  const { id, ttlSeconds } = answer.lease;
  return { ...answer, lease: { id, ttlSeconds } };
}

/** The run of a seed: 2 to 4 clients and up to about 20 calls. */
export function randomRun(seed: number, kind: InputKind): RandomRun {
  const draft = new Draft(seed, kind);
  const clients = 2 + randomInt(draft.random, 3);
  const steps = 20 + randomInt(draft.random, 60);
  for (let step = 0; step < steps; step += 1) draft.step(clients, false);
  for (let step = 0; step < 15; step += 1) draft.step(clients, true);
  return draft.finish();
}
