/**
 * What a simulation must be told of a state machine of one's own: how a member opens it, what clients
 * ask of it, and what it should answer.
 */
import type { OpenState } from '../../assembly/open-member.js';
import type { Random } from '../../base/prng.js';
import type { ProposalId, StateMachine } from '../../node/index.js';
import type { Executed, Specification } from '../checkers/model.js';
import { WholeAnswer } from '../checkers/observed.js';
import { stateKey } from '../checkers/state-key.js';
import { shown } from '../shown.js';

/**
 * A state machine that lives in memory. Log, files, snapshots and replication are the simulation's
 * business: after a crash a new one is made, given the newest snapshot of its disk, and then every
 * command that came after it.
 *
 * @since 0.1.0
 */
export interface PlainMachine {
  /**
   * Carries a command out. What it does and answers must depend on the state and the command alone: no
   * clock, no randomness, no option. What it throws stops the member, and fails the run; so does a promise.
   *
   * @param command - as `encode` made it; not kept
   * @returns plain data for whoever asked
   */
  apply(command: Uint8Array): unknown;
  /** The whole state as bytes of its own, between two commands. */
  snapshot(): Uint8Array;
  /** Takes over the state that `snapshot` gave, here or on another member. */
  restore(snapshot: Uint8Array): void;
}

/**
 * What the machine should do: the sequential object that its clients believe to talk to.
 *
 * @since 0.1.0
 */
export interface MachineModel<State, Input, Answer> {
  /** Before the first command. */
  initial(): State;
  /** The very same `state` comes back when the input changes nothing; it is never changed in place. */
  execute(state: State, input: Input): Executed<State, Answer>;
  /** An operation in a few words, for messages; default: as JSON. */
  describe?(input: Input, output: unknown): string;
}

/** @since 0.1.0 */
interface MachineUse<State, Input, Answer> {
  readonly model: MachineModel<State, Input, Answer>;
  /**
   * The next command of a client.
   *
   * @param random - of that client
   * @param keys - how many distinct things clients should use: the fewer, the more they meet
   */
  draw(random: Random, keys: number): Input;
}

/** Of a {@link PlainMachine}. @since 0.1.0 */
export interface PlainMachineSpec<State, Input, Answer> extends MachineUse<State, Input, Answer> {
  /** A machine in its initial state: at each start of a member. */
  create(): PlainMachine;
  /** A command as bytes; default: JSON in UTF-8. */
  encode?(input: Input): Uint8Array;
}

/** Of a whole `StateMachine`, with files or an engine of its own. @since 0.1.0 */
export interface ReplicatedMachineSpec<State, Input, Answer>
  extends MachineUse<State, Input, Answer> {
  /** Opens it on the machine of a member, all of whose files and time are in the environment. */
  readonly open: OpenState<StateMachine>;
  /** A command with the name that `ApplyResult.requestId` tells when it is applied. */
  encode(input: Input, id: ProposalId): Uint8Array;
}

/** @since 0.1.0 */
export type MachineSpec<State, Input, Answer> =
  | PlainMachineSpec<State, Input, Answer>
  | ReplicatedMachineSpec<State, Input, Answer>;

/**
 * A model as the checkers take it. Outputs are {@link WholeAnswer}s: who asked has all of the answer.
 *
 * @since 0.1.0
 */
export function describedModel<State, Input, Answer>(
  model: MachineModel<State, Input, Answer>,
): Specification<State, Input, Answer> {
  return {
    initial: () => model.initial(),
    execute: (state, input) => model.execute(state, input),
    key: stateKey,
    describe: (input, output) => {
      const told = answerIn(output);
      return model.describe?.(input, told) ?? `${shown(input)} -> ${shown(told)}`;
    },
    describeState: shown,
  };
}

function answerIn(output: unknown): unknown {
  return output instanceof WholeAnswer ? output.answer : output;
}
