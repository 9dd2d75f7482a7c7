/**
 * The state machine that `openNode` replicates: a user's own database. It is the driver's
 * {@link StateMachine} without the names of proposals, which the node keeps to itself.
 */
import type { Entry } from '../raft/types.js';
import { MachineContract } from './machine-contract.js';
import { namedCommandOf } from './named-command.js';
import type { ApplyResult, RequestId, StateMachine, StateSnapshot } from './state-machine.js';

/** One entry of the log, for a {@link CommandMachine}. @since 0.1.0 */
export interface CommandEntry {
  /** Position in the log: one more than that of the entry before. */
  readonly index: number;
  /** Term of the leader that took it. */
  readonly term: number;
  /**
   * As it was proposed; not to be changed, and not to be kept without a copy. `undefined` for an entry
   * of the group's own, such as the first of a leader: it has only to be counted.
   */
  readonly command: Uint8Array | undefined;
}

/**
 * Caller: the node. Life: `open` once, then `apply` (one batch at a time, in index order, without gap),
 * `close` once. `flush` may overlap with `apply`; `snapshot` and `restore` come between two batches.
 *
 * `apply` must be a pure function of state and entries, the same on every member: no clock, option,
 * randomness or outside world. A command is applied at most once per call of `propose`, but a caller who
 * learned `unknown` may propose it again: where that matters, put an id of your own into the command and
 * remember the last ones in the state.
 *
 * After a crash entries come again from `appliedIndex + 1` of the next `open`. So data and applied index
 * have to become durable together, or applying twice must do no harm.
 *
 * A machine that breaks what is said here of indexes and answers is stopped with `STATE_MACHINE_INVALID`.
 *
 * @since 0.1.0
 */
export interface CommandMachine<Answer = unknown> {
  /**
   * Loads the durable state. The data directory of the node, if it has one, is locked by then.
   *
   * @returns the last entry that is in the state, 0 for none
   */
  open(): Promise<{ readonly appliedIndex: number }>;
  /**
   * Applies entries in order. What it throws stops the member.
   *
   * @returns one answer per entry, for who proposed it on this member; those of entries without a
   *   command are not looked at
   */
  apply(entries: readonly CommandEntry[]): Promise<readonly (Answer | undefined)[]>;
  /**
   * Last entry of which the state is durable; the log is kept above it. Never goes down. What is above the
   * `appliedIndex` of the next `open` is held in memory until it is applied again.
   */
  readonly durableIndex: number;
  /** Makes everything applied so far durable. */
  flush(): Promise<void>;
  /**
   * The state as it is now, in O(1) if it can be. A machine without it, or without `restore`, keeps its
   * whole log, and no member can fall behind it.
   */
  snapshot?(): StateSnapshot;
  /**
   * Replaces the state by one that {@link snapshot} gave on another member, durably when it resolves;
   * after a crash it is the old or the new one, never a mix. Only the end of `chunks` without an error
   * says that they are right.
   *
   * @param appliedIndex - last entry that is in the new state
   * @param chunks - its bytes, cut anywhere
   */
  restore?(appliedIndex: number, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * Flushes if it can and lets go of its resources. What it throws comes out of `close` of the node, once
   * that has let go of everything else.
   */
  close(): Promise<void>;
}

const noCommand: ApplyResult = { value: undefined };

/** A {@link CommandMachine} as the driver takes it. @since 0.1.0 */
export class NamedCommandMachine implements StateMachine {
  readonly #machine: CommandMachine;
  readonly #contract = new MachineContract();
  readonly snapshot?: () => StateSnapshot;
  readonly restore?: (appliedIndex: number, chunks: AsyncIterable<Uint8Array>) => Promise<void>;
  #opened: Promise<{ readonly appliedIndex: number }> | undefined;
  #closed: Promise<void> | undefined;

  /** @param machine - not opened yet */
  constructor(machine: CommandMachine) {
    this.#machine = machine;
    if (machine.snapshot === undefined || machine.restore === undefined) return;
    this.snapshot = () => {
      return this.#contract.snapshotted((machine as Required<CommandMachine>).snapshot());
    };
    this.restore = (index, chunks) =>
      this.#restore(machine as Required<CommandMachine>, index, chunks);
  }

  get durableIndex(): number {
    this.#contract.notesDurable(this.#machine.durableIndex);
    return this.#contract.durableIndex;
  }

  /** Opened once, however often it is asked for: the log is opened by what it answers. */
  open(): Promise<{ readonly appliedIndex: number }> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async apply(entries: readonly Entry[]): Promise<readonly ApplyResult[]> {
    const names: (RequestId | undefined)[] = [];
    const given = entries.map(({ data, index, term, type }): CommandEntry => {
      const named = type === 'normal' && data.length > 0 ? namedCommandOf(data) : undefined;
      names.push(named?.requestId);
      return { index, term, command: named?.command };
    });
    const last = entries.at(-1)?.index ?? 0;
    this.#contract.gives(last);
    const answers = this.#contract.answered(await this.#machine.apply(given), entries.length);
    this.#contract.applied(last);
    this.#contract.checkDurable(this.#machine.durableIndex);
    // Not by `map`, which leaves the holes of an array where no answer is asked for.
    return Array.from(answers, (value, at) => {
      const requestId = names[at];
      return requestId === undefined ? noCommand : { requestId, value };
    });
  }

  flush(): Promise<void> {
    return this.#machine.flush();
  }

  /** Closed once, however often it is asked to; each time it tells what came of that. */
  close(): Promise<void> {
    // Async, for a machine may throw at once, or answer no promise.
    this.#closed ??= (async () => this.#machine.close())();
    return this.#closed;
  }
  async #open(): Promise<{ readonly appliedIndex: number }> {
    const opened = this.#contract.opened(await this.#machine.open());
    this.#contract.checkDurable(this.#machine.durableIndex);
    return opened;
  }

  async #restore(
    machine: Required<CommandMachine>,
    index: number,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    this.#contract.gives(index);
    await machine.restore(index, chunks);
    this.#contract.applied(index);
  }
}
