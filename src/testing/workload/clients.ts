/**
 * Clients of a group: each calls through whichever member it likes, one call after the other, and
 * remembers what it asked and what it was told. What they ask is for others to say.
 */
import { isKontikiError } from '../../base/errors.js';
import { type Random, randomInt } from '../../base/prng.js';
import type { RequestId } from '../../node/index.js';
import type { SimService } from '../cluster/sim-cluster.js';
import { errorText } from '../error-text.js';
import { CommittedLog } from '../run/committed-log.js';
import type { WorkloadContext } from '../run/workload.js';
import { assertingObserver } from '../sim-machine.js';

/** How often a client that waits looks whether its member lives, in virtual milliseconds. */
const lookMs = 500;
/** Behind its timeout a call ends with one of the next ticks. */
const lateMs = 2_000;

/** A call that is still to be made. @since 0.1.0 */
export interface NextCall<S, Input, Answer> {
  readonly input: Input;
  /** Through which it is made, one that runs; default: any. */
  readonly service?: S | undefined;
  /** Makes it. A write is handed over before this returns its promise. */
  readonly run: (service: S) => Promise<Answer>;
  /**
   * Virtual milliseconds after which it has ended, pauses of its process left out; else `X5` is violated.
   * Default: nobody minds.
   */
  readonly timeoutMs?: number | undefined;
}

/**
 * A call and what came of it. `rejected`: certainly without effect; `unknown`: nobody can say, which
 * for a read is of no interest.
 *
 * @since 0.1.0
 */
export interface ClientCall<Input, Answer> {
  readonly client: number;
  /** Name and life of the member that was asked. */
  readonly member: string;
  readonly input: Input;
  /** Running number among all calls and answers of the run. */
  readonly callAt: number;
  /** `Infinity` as long as it is unknown. */
  returnAt: number;
  outcome: 'ok' | 'rejected' | 'unknown';
  /** Under which a write stands in the log; absent for a read. */
  request?: string | undefined;
  answer?: Answer | undefined;
}

/** One of them. @since 0.1.0 */
export interface Client<S, Input, Answer> {
  /** Chooses what to ask now. */
  next(): NextCall<S, Input, Answer>;
  /** Something to do instead, of which no history tells, through a service of the client's own choice. */
  aside?(): { readonly service: S; readonly run: () => Promise<unknown> } | undefined;
  /** The answer that an error is, if it is one; default: none is. */
  refusal?(error: unknown): Answer | undefined;
  /** Told of each call that was answered. */
  seen?(call: ClientCall<Input, Answer>): void;
}

/** What became of a call, by its number; `lost`: its member died. @since 0.1.0 */
export interface CallStep {
  readonly kind: 'called' | 'settled' | 'lost';
  readonly call: number;
}

/** @since 0.1.0 */
export class Clients<S extends SimService, Input, Answer> {
  /** In the order in which they were made. */
  readonly calls: ClientCall<Input, Answer>[] = [];
  /** What the members applied. */
  readonly log: CommittedLog;
  readonly #context: WorkloadContext<S>;
  readonly #observe: ((step: CallStep) => void) | undefined;
  /** The name under which a member proposed last. */
  #proposed: RequestId | undefined;
  /** How often calls were refused, by code. */
  readonly #refusals: Record<string, number> = {};
  readonly #unserved = new Set<string>();
  #stopped = false;
  #pending = 0;
  /** Calls and answers are ordered by their running number: at equal times they would be concurrent. */
  #events = 0;

  /**
   * Watches what members propose and apply; before they start.
   *
   * @param context - of the run
   * @param observe - told when a call is made, and what becomes of it
   */
  constructor(context: WorkloadContext<S>, observe?: (step: CallStep) => void) {
    this.#context = context;
    this.#observe = observe;
    this.log = new CommittedLog((id, message) => context.violated(id, message));
    context.cluster.onMachine((machine) => {
      machine.observer = {
        ...assertingObserver,
        proposed: (request) => {
          this.#proposed = request;
        },
        applied: (entries, results) => this.log.take(machine.name, entries, results),
      };
    });
  }

  /** Calls that nobody has answered. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Lets the clients of the scenario begin.
   *
   * @param makeClient - of a number from 0 on, with the randomness of that client
   */
  start(makeClient: (client: number, random: Random) => Client<S, Input, Answer>): void {
    for (let client = 0; client < this.#context.scenario.clients; client += 1) {
      const random = this.#context.random('client', client);
      this.#run(client, makeClient(client, random), random).catch(this.#failed);
    }
  }

  /**
   * Lets each of some members be asked by clients of its own, one after the other, each until it was
   * answered, also once the others have stopped: whom those ask, and for what, is left to chance.
   *
   * @param members - their names
   * @param askersOf - of a number and randomness of their own
   */
  ask(
    members: readonly string[],
    askersOf: (client: number, random: Random) => readonly Client<S, Input, Answer>[],
  ): void {
    for (const [at, member] of members.entries()) {
      const number = this.#context.scenario.clients + at;
      this.#unserved.add(member);
      const askers = askersOf(number, this.#context.random('asker', at));
      this.#ask(number, member, askers).catch(this.#failed);
    }
  }

  /** Members that were asked, and have not answered each of their askers. */
  get unserved(): readonly string[] {
    return [...this.#unserved];
  }

  /** They begin no further call. */
  stop(): void {
    this.#stopped = true;
  }

  /** How many calls the clients of the scenario made, and what became of them. */
  summary(): Readonly<Record<string, number>> {
    const calls = this.calls.filter(({ client }) => client < this.#context.scenario.clients);
    const count = (outcome: ClientCall<Input, Answer>['outcome']) =>
      calls.filter((call) => call.outcome === outcome).length;
    return {
      calls: calls.length,
      'calls.ok': count('ok'),
      'calls.rejected': count('rejected'),
      'calls.unknown': count('unknown'),
      ...this.#refusals,
    };
  }

  async #run(number: number, client: Client<S, Input, Answer>, random: Random): Promise<void> {
    const { cluster, scenario, sleep } = this.#context;
    while (!this.#stopped) {
      const { running } = cluster;
      const home = cluster.names[number % cluster.names.length] as string;
      // Every other client stays at its member as long as that runs: those elsewhere go on without it.
      const isAtHome = number % 2 === 0 && running.includes(home);
      const member = isAtHome ? home : running[randomInt(random, Math.max(1, running.length))];
      const aside = client.aside?.();
      if (aside !== undefined) {
        const done = aside.run().catch((error: unknown) => this.#lookAt(error));
        await this.#settled(
          done.then(() => true),
          { service: aside.service },
        );
      } else if (member !== undefined) {
        const call = await this.#call(number, cluster.service(member), client);
        if (call.outcome === 'ok') client.seen?.(call);
      }
      await sleep(1 + randomInt(random, scenario.pauseMs));
    }
  }

  async #ask(
    number: number,
    member: string,
    askers: readonly Client<S, Input, Answer>[],
  ): Promise<void> {
    const { cluster, sleep } = this.#context;
    for (const asker of askers) {
      for (let isAnswered = false; !isAnswered; ) {
        const isThere = cluster.running.includes(member);
        const call = isThere && (await this.#call(number, cluster.service(member), asker));
        isAnswered = call !== false && call.outcome === 'ok';
        if (!isAnswered) await sleep(lookMs);
      }
    }
    this.#unserved.delete(member);
  }

  /** What a call came to; `undefined` once its member has died, for then it never settles. */
  async #settled<T>(
    answer: Promise<T>,
    { service, timeoutMs = Infinity }: { readonly service: S; readonly timeoutMs?: number },
  ): Promise<T | undefined> {
    const { cluster, sleep } = this.#context;
    this.#pending += 1;
    try {
      for (let waitedMs = 0; ; ) {
        const settled = await Promise.race([answer, sleep(lookMs)]);
        if (settled !== undefined) return settled as T;
        const name = cluster.running.find((each) => cluster.find(each) === service);
        if (name === undefined) return undefined;
        if (!cluster.machine(name).isPaused) waitedMs += lookMs;
        if (waitedMs <= timeoutMs + lateMs) continue;
        this.#context.violated('X5', `a call at ${name} outlives its ${timeoutMs} ms`);
        return undefined;
      }
    } finally {
      this.#pending -= 1;
    }
  }

  async #call(
    number: number,
    any: S,
    client: Client<S, Input, Answer>,
  ): Promise<ClientCall<Input, Answer>> {
    const { cluster } = this.#context;
    const { input, run, service = any, timeoutMs } = client.next();
    const member = cluster.running.find((name) => cluster.find(name) === service) as string;
    this.#events += 1;
    const call: ClientCall<Input, Answer> = {
      client: number,
      member: `${member}.${cluster.machine(member).boots}`,
      input,
      callAt: this.#events,
      returnAt: Infinity,
      outcome: 'unknown',
    };
    const id = this.calls.push(call);
    this.#observe?.({ kind: 'called', call: id });
    this.#proposed = undefined;
    const answered = run(service).then(
      (answer) => ({ isAnswer: true, answer, error: undefined }),
      (error: unknown) => {
        const answer = client.refusal?.(error);
        return { isAnswer: answer !== undefined, answer, error };
      },
    );
    call.request = requestName(this.#proposed);
    // A read may wait for its disk.
    const isWrite = call.request !== undefined && timeoutMs !== undefined;
    const settled = await this.#settled(answered, isWrite ? { service, timeoutMs } : { service });
    this.#observe?.({ kind: settled === undefined ? 'lost' : 'settled', call: id });
    if (settled === undefined) return call;
    this.#events += 1;
    if (!settled.isAnswer) this.#lookAt(settled.error);
    this.#countRefusal(settled.error);
    call.answer = settled.answer;
    call.outcome = settled.isAnswer ? 'ok' : outcomeOf(settled.error);
    if (call.outcome !== 'unknown') call.returnAt = this.#events;
    return call;
  }

  /** A client itself is at fault, be it in what it chose to ask. */
  readonly #failed = (error: unknown): void => {
    this.#context.violated('UNCAUGHT', `a client failed with ${errorText(error)}`);
  };

  /** Who cannot help says so by an error of ours: any other one is a bug, be it in how commands are encoded. */
  #lookAt(error: unknown): void {
    if (isKontikiError(error)) return;
    this.#context.violated('X5', `a call failed with ${errorText(error)}`);
  }

  #countRefusal(error: unknown): void {
    if (!isKontikiError(error)) return;
    const name = `refused.${error.code}`;
    this.#refusals[name] = (this.#refusals[name] ?? 0) + 1;
  }
}

/** A request as a text, which histories and logs name it by. @since 0.1.0 */
export function requestName(request: RequestId | undefined): string | undefined {
  return request === undefined ? undefined : `${request.session}.${request.seq}`;
}

function outcomeOf(error: unknown): 'rejected' | 'unknown' {
  return isKontikiError(error) && error.outcome === 'rejected' ? 'rejected' : 'unknown';
}
