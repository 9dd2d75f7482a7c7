/** What a check of a history against its log works on, and what it finds. */
import type { LogPlace } from '../../mvcc/lease-types.js';
import type { Executed, Specification } from './model.js';
import type { Observed } from './observed.js';
import type { Operation } from './operation.js';

/**
 * What was called, for a check against its log: a {@link Specification} with revisions, which tell a
 * read where in the log it stands.
 *
 * @since 0.1.0
 */
export interface LogSpecification<State, Input, Answer>
  extends Omit<Specification<State, Input, Answer>, 'execute' | 'partition'> {
  /** The very same `state` comes back when the input changes nothing. */
  execute(state: State, input: Input, place?: LogPlace): Executed<State, Answer>;
  /** A number of the state that never falls; states of one number may differ in what reads hardly show. */
  revision(state: State): number;
  /** The revision of the state that answered; `undefined` when the answer does not say. */
  revisionSeen(output: Observed<Answer>): number | undefined;
}

/** A command that was applied. @since 0.1.0 */
export interface LogEntry<Input> {
  /** The request it came from; absent for what no client asked for. */
  readonly request?: number | string | undefined;
  readonly input: Input;
  /** Handed to the specification. */
  readonly place?: LogPlace | undefined;
  /** The revision after it as the log's owner has it; absent: not compared. */
  readonly revision?: number | undefined;
}

/** What a client did, and whether that is in the log. @since 0.1.0 */
export interface LoggedOperation<Input, Output> extends Operation<Input, Output> {
  /** Name of a command's request, of its own; absent for a read, which is in no log. */
  readonly request?: number | string | undefined;
  /**
   * `ok`: it was answered, be it with a refusal that `output` holds; `rejected`: the client was told that
   * it had and will have no effect; `unknown`: neither. Of reads only `ok` ones are looked at.
   */
  readonly outcome: 'ok' | 'rejected' | 'unknown';
  /** A read that may be of the past, but of no earlier one than its session has seen. */
  readonly serializable?: boolean | undefined;
  /** A client at one member: its reads there do not go back. Default: the client. */
  readonly session?: number | string | undefined;
}

/** Which rule a log and a history break. @since 0.1.0 */
export type LogFindingKind =
  /** The log has another input under the request's name. */
  | 'altered'
  /** The log has the request more than once. */
  | 'applied-twice'
  /** An acknowledged command is not in the log. */
  | 'lost'
  /** An effect before its call, or a state older than one that was seen before. */
  | 'out-of-order'
  /** What was rejected changed something. */
  | 'rejected-applied'
  /** The log has a request that nobody made. */
  | 'unasked'
  /** No state that the answer may be of gives that answer. */
  | 'wrong-answer'
  /** The log's owner counts revisions otherwise. */
  | 'wrong-revision';

/** A rule that is broken. @since 0.1.0 */
export interface LogFinding {
  readonly kind: LogFindingKind;
  /** In words, with the operation and what was expected. */
  readonly message: string;
  /** Place of the operation in the history. */
  readonly operation?: number | undefined;
  /** Place of the entry in the log. */
  readonly entry?: number | undefined;
}
