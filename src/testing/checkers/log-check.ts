/**
 * The cheap check of a history whose committed log is known, as it is in a simulation: the log says in
 * which order things happened, so there is nothing to search for. It finds all that the search would
 * find, and also what no client could see, in n log n steps (reliability plan §5).
 */
import { kontikiError } from '../../base/errors.js';
import { limits } from '../../base/limits.js';
import { eventsInOrder } from './events.js';
import { checkTimes } from './linearizability.js';
import { LogReplay } from './log-replay.js';
import type {
  LogEntry,
  LogFinding,
  LogFindingKind,
  LoggedOperation,
  LogSpecification,
} from './log-types.js';
import { agrees, type Observed } from './observed.js';

/**
 * Checks a history against the log that was applied.
 *
 * Every acknowledged command is in the log once, every unknown one at most once, no rejected one has an
 * effect, and nobody else's request is there. Answers are those of the specification at that place. The
 * order of the log is an order in real time: a command stands behind everything that was seen before its
 * call, a linearizable read reads no state before that, a serializable one none before what its
 * session had seen. An answer says by its revision which state it is of.
 *
 * @param specification - what was called, such as {@link keyspaceSpecification}
 * @param run.log - all commands applied since the initial state, in order; a repeated request that was
 *   answered from memory is not applied and not in it
 * @param run.history - in any order; requests have names of their own
 * @returns what is wrong, empty when nothing is; at most `limits.checkerFindingsMax`
 * @throws {KontikiError} ARGUMENT_INVALID, when two operations have one request, or a time is impossible
 * @since 0.1.0
 * @example expect(checkLog(keyspaceSpecification, { log, history })).toEqual([]);
 */
export function checkLog<State, Input, Answer>(
  specification: LogSpecification<State, Input, Answer>,
  run: {
    readonly log: readonly LogEntry<Input>[];
    readonly history: readonly LoggedOperation<Input, Observed<Answer>>[];
  },
): readonly LogFinding[] {
  checkTimes(run.history);
  return new LogCheck(specification, run.log, run.history).run();
}

/** The newest state that somebody has seen, and who. */
interface Seen {
  readonly state: number;
  readonly operation: number;
}

const nothingSeen: Seen = { state: 0, operation: -1 };

class LogCheck<State, Input, Answer> {
  readonly #specification: LogSpecification<State, Input, Answer>;
  readonly #log: readonly LogEntry<Input>[];
  readonly #history: readonly LoggedOperation<Input, Observed<Answer>>[];
  readonly #replay: LogReplay<State, Input, Answer>;
  readonly #findings: LogFinding[] = [];
  /** The operation of each request. */
  readonly #requests = new Map<number | string, number>();
  /** The first entry of each request. */
  readonly #entries = new Map<number | string, number>();

  constructor(
    specification: LogSpecification<State, Input, Answer>,
    log: readonly LogEntry<Input>[],
    history: readonly LoggedOperation<Input, Observed<Answer>>[],
  ) {
    this.#specification = specification;
    this.#log = log;
    this.#history = history;
    this.#replay = new LogReplay(specification, log);
    for (const [operation, { request }] of history.entries()) {
      if (request === undefined) continue;
      if (this.#requests.has(request)) {
        throw kontikiError('ARGUMENT_INVALID', `two operations have the request ${request}`);
      }
      this.#requests.set(request, operation);
    }
  }

  run(): readonly LogFinding[] {
    for (let entry = 0; entry < this.#log.length && !this.#isFull; entry += 1) {
      this.#checkEntry(this.#log[entry] as LogEntry<Input>, entry);
    }
    this.#sweep();
    return this.#findings;
  }

  get #isFull(): boolean {
    return this.#findings.length >= limits.checkerFindingsMax;
  }

  #checkEntry({ request, input, revision }: LogEntry<Input>, entry: number): void {
    const counted = this.#specification.revision(this.#replay.states[entry + 1] as State);
    if (revision !== undefined && revision !== counted) {
      const message = `entry ${entry} made revision ${revision}, the specification ${counted}`;
      this.#find('wrong-revision', message, { entry });
    }
    if (request === undefined) return;
    const operation = this.#requests.get(request);
    if (operation === undefined) {
      this.#find('unasked', `entry ${entry} is of request ${request}, which nobody made`, {
        entry,
      });
      return;
    }
    const place = { operation, entry };
    const first = this.#entries.get(request);
    if (first !== undefined) {
      const message = `${this.#name(operation)} is in the log at ${first} and at ${entry}`;
      this.#find('applied-twice', message, place);
      return;
    }
    this.#entries.set(request, entry);
    const asked = this.#operation(operation).input;
    if (!agrees(input, asked) || !agrees(asked, input)) {
      const logged = this.#specification.describe(input, undefined);
      this.#find('altered', `${this.#name(operation)} is in the log as ${logged}`, place);
    }
  }

  /** Everything in order of time: each call against what was seen when it was made. */
  #sweep(): void {
    const count = this.#history.length;
    const places = new Int32Array(count).fill(-1);
    const sessions = new Map<number | string, Seen>();
    let seen = nothingSeen;
    for (const event of eventsInOrder(this.#history)) {
      if (this.#isFull) return;
      const operation = event % count;
      const { client, session = client, serializable } = this.#operation(operation);
      if (event < count) {
        const bound = serializable === true ? (sessions.get(session) ?? nothingSeen) : seen;
        places[operation] = this.#place(operation, bound);
        continue;
      }
      const state = places[operation] as number;
      if (state < 0) continue;
      if (state > seen.state) seen = { state, operation };
      if (state > (sessions.get(session)?.state ?? 0)) sessions.set(session, { state, operation });
    }
  }

  /** The earliest state that an operation may have left or seen; -1: none, or nobody learned of it. */
  #place(operation: number, bound: Seen): number {
    const { request, outcome } = this.#operation(operation);
    if (request === undefined) return outcome === 'ok' ? this.#placeRead(operation, bound) : -1;
    const entry = this.#entries.get(request);
    if (outcome === 'rejected') {
      if (entry !== undefined) this.#checkRejected(operation, entry);
      return -1;
    }
    if (entry !== undefined) return this.#placeCommand(operation, entry, bound);
    if (outcome === 'ok')
      this.#find('lost', `${this.#name(operation)} is not in the log`, { operation });
    return -1;
  }

  #checkRejected(operation: number, entry: number): void {
    const { states } = this.#replay;
    if (states[entry + 1] === states[entry]) return;
    const message = `${this.#name(operation)} was rejected, and is in the log`;
    this.#find('rejected-applied', message, { operation, entry });
  }

  #placeCommand(operation: number, entry: number, bound: Seen): number {
    const { outcome, output } = this.#operation(operation);
    const place = { operation, entry };
    if (entry < bound.state) {
      const message = `${this.#name(operation)} is in the log at ${entry}, and before it was called ${this.#name(bound.operation)} had seen the log up to ${bound.state - 1}`;
      this.#find('out-of-order', message, place);
    }
    if (outcome === 'unknown') return -1;
    const answer = this.#replay.answers[entry] as Answer;
    if (output !== undefined && !agrees(answer, output)) this.#findWrong(operation, answer, place);
    return entry + 1;
  }

  #placeRead(operation: number, bound: Seen): number {
    const { input, output } = this.#operation(operation);
    const revision = output === undefined ? undefined : this.#specification.revisionSeen(output);
    const [lo, hi] = this.#replay.statesOf(revision);
    if (lo <= hi && hi < bound.state) {
      const message = `${this.#name(operation)} is of a state before ${bound.state}, which ${this.#name(bound.operation)} had seen`;
      this.#find('out-of-order', message, { operation });
      return -1;
    }
    const { states } = this.#replay;
    let expected: Answer | undefined;
    for (let at = Math.max(lo, bound.state); at <= hi; at += 1) {
      if (expected !== undefined && states[at] === states[at - 1]) continue;
      const { answer } = this.#specification.execute(states[at] as State, input);
      if (output === undefined || agrees(answer, output)) return at;
      expected ??= answer;
    }
    this.#findWrong(operation, expected, { operation });
    return -1;
  }

  #findWrong(operation: number, answer: Answer | undefined, place: Partial<LogFinding>): void {
    const { input } = this.#operation(operation);
    const right =
      answer === undefined
        ? 'there is no such revision'
        : `right is ${this.#specification.describe(input, answer as Observed<Answer>)}`;
    this.#find('wrong-answer', `${this.#name(operation)}: ${right}`, place);
  }

  #find(kind: LogFindingKind, message: string, place: Partial<LogFinding>): void {
    if (!this.#isFull) this.#findings.push({ kind, message, ...place });
  }

  #operation(operation: number): LoggedOperation<Input, Observed<Answer>> {
    return this.#history[operation] as LoggedOperation<Input, Observed<Answer>>;
  }

  #name(operation: number): string {
    const { client, input, output } = this.#operation(operation);
    return `operation ${operation} of ${client} (${this.#specification.describe(input, output)})`;
  }
}
