/**
 * A member that replicates a state machine of one's own: what `openNode` gives. Calls take no names of
 * proposals, wait no longer than they are told to, and tell other members by their names.
 */
import { EventEmitter } from 'eventemitter3';
import { asyncDispose } from '../base/async-dispose.js';
import { Closing } from '../base/closing.js';
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Env } from '../node/env.js';
import type { Leadership } from '../node/leadership.js';
import { type LocalStatus, localStatusOf } from '../node/local-status.js';
import { type MemberEvents, relayEvents } from '../node/member-events.js';
import type { NodeMetrics } from '../node/metrics.js';
import { nameCommand } from '../node/named-command.js';
import type { Node } from '../node/node.js';
import { traced } from '../node/tracing.js';
import { callOptionNames, checkCallOptions, checkOptions } from '../store/arguments.js';
import { type MemberName, StoreMembers } from '../store/members.js';
import { ReadBarrier } from '../store/read-barrier.js';
import type { StoreConfig } from './store-config.js';

/** Of a call. @since 0.1.0 */
export interface NodeCallOptions {
  /**
   * Milliseconds before the call gives up; default the `timeoutMs` of the node. A proposal does at a tick,
   * up to two of `tickMs` later, never earlier.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Aborts the call. Before the command was handed over it rejects with `signal.reason`; after that with
   * `ABORTED`, outcome `unknown`.
   */
  readonly signal?: AbortSignal | undefined;
}

/** @since 0.1.0 */
export interface MachineNodeParts {
  readonly node: Node;
  readonly env: Pick<Env, 'timers' | 'tracing'>;
  readonly config: Pick<StoreConfig, 'name' | 'timeoutMs'>;
  /** Runs after the node is closed, to let go of what was opened around it. */
  readonly onClosed: () => Promise<void>;
}

/**
 * One member of a group that replicates a `CommandMachine`. Calls work on every member.
 *
 * @since 0.1.0
 */
export class MachineNode<Answer = unknown> implements AsyncDisposable {
  /** Who the members are, and how they come and go. */
  readonly members: StoreMembers;
  readonly #parts: MachineNodeParts;
  readonly #barrier: ReadBarrier;
  readonly #events = new EventEmitter<MemberEvents>();
  readonly #closing = new Closing();

  constructor(parts: MachineNodeParts) {
    const { config, env, node } = parts;
    this.#parts = parts;
    this.#barrier = new ReadBarrier(env.timers, () => node.readIndex());
    this.members = new StoreMembers({
      ...{ node, timeoutMs: config.timeoutMs },
      check: () => this.#checkOpen(),
      catchUp: (options) => this.#catchUp(options),
    });
    relayEvents(node, node.members.names, (event, fact) => {
      this.#events.emit(event, ...([fact] as never));
    });
  }

  /**
   * Has a command carried out, through whichever member leads, and waits until it is applied *here*: who
   * then looks at the local state sees it. It is applied at most once for each call.
   *
   * @param command - at most 1.5 MiB; copied
   * @returns what `apply` of this member answered; a `KontikiError` as an answer rejects
   * @throws {KontikiError} with an `outcome`: `rejected`, it never took and never will take effect
   *   (NO_LEADER, LEADER_CHANGED, OVERLOADED, NO_SPACE, CLOSED, ARGUMENT_INVALID, REQUEST_TOO_LARGE), or
   *   `unknown` (TIMEOUT, ABORTED, OVERTAKEN, CLOSED): propose it again only if twice does no harm
   */
  async propose(command: Uint8Array, options: NodeCallOptions = {}): Promise<Answer> {
    checkCall(options, 'propose');
    if (!(command instanceof Uint8Array)) {
      const message = `node: expected a command of bytes, got ${typeof command}`;
      throw kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
    }
    if (command.length > limits.requestBytesMax) {
      const message = `node: expected a command of at most ${limits.requestBytesMax} bytes, got ${command.length}`;
      throw kontikiError('REQUEST_TOO_LARGE', message, { outcome: 'rejected' });
    }
    this.#checkOpen();
    const { timeoutMs = this.#parts.config.timeoutMs, signal } = options;
    const { node } = this.#parts;
    return (await node.propose((id) => nameCommand(command, id), { timeoutMs, signal })) as Answer;
  }

  /**
   * Waits until everything acknowledged before this call, on any member, is applied here: a look at the
   * local state after it is linearizable. Nothing is written to the log.
   *
   * @throws {KontikiError} ARGUMENT_INVALID, TIMEOUT, OVERLOADED, CLOSED, or why the member stopped; `signal.reason`
   */
  async readIndex(options: NodeCallOptions = {}): Promise<void> {
    checkCall(options, 'readIndex');
    const { env, node } = this.#parts;
    const { memberId } = node.identity;
    await traced(env.tracing?.read, () => this.#catchUp(options), {
      ...{ memberId, op: 'read-index' },
    });
  }

  /**
   * Lets another member lead. Proposals meanwhile wait or are refused, for an election timeout at most.
   *
   * @param member - name or id of a voter
   * @param options - `timeoutMs`, `signal`
   * @throws {KontikiError} MEMBER_UNKNOWN; LEARNER_NOT_READY, for a learner; TIMEOUT, when it did not
   *   take over; NO_LEADER, ABORTED, CLOSED
   */
  transferLeadership(member: MemberName, options: NodeCallOptions = {}): Promise<void> {
    return this.members.transferLeadership(member, options);
  }

  /**
   * The leaderships of this member, one after the other: each once it has applied an entry of its own
   * term, each with a signal of its end. The term is the fencing token. See {@link Leadership}.
   */
  leadership(): AsyncIterableIterator<Leadership> & AsyncDisposable {
    return this.#parts.node.leadership();
  }

  /** Facts about this member, without asking anyone. */
  status(): LocalStatus {
    const { config, node } = this.#parts;
    return localStatusOf(config.name, node.members.names, node.status);
  }

  /** What was counted since the node was opened. */
  metrics(): NodeMetrics {
    return this.#parts.node.metrics();
  }

  /** Listens to facts; see {@link MemberEvents}. */
  on<E extends keyof MemberEvents>(event: E, listener: (...args: MemberEvents[E]) => void): this {
    this.#events.on(event, listener as never);
    return this;
  }

  /** Stops listening. */
  off<E extends keyof MemberEvents>(event: E, listener: (...args: MemberEvents[E]) => void): this {
    this.#events.off(event, listener as never);
    return this;
  }

  /**
   * Settles every call, closes the state machine and lets go of the directory. Idempotent.
   *
   * @throws what `close` of the state machine throws, once everything was let go of
   */
  async close(): Promise<void> {
    await this.#closing.begin(() => this.#close());
  }

  async #catchUp(options: NodeCallOptions): Promise<void> {
    const { timeoutMs = this.#parts.config.timeoutMs, signal } = options;
    await this.#barrier.wait({ timeoutMs, signal });
  }

  #checkOpen(): void {
    const { node } = this.#parts;
    // One that failed says why by itself.
    if (this.#closing.hasBegun && node.status.failure === undefined) throw closed();
  }

  async #close(): Promise<void> {
    const { node, onClosed } = this.#parts;
    this.#barrier.close(node.status.failure ?? closed());
    // Whatever becomes of the node: what is not let go of, nobody can open again.
    await node.close().finally(onClosed);
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }
}

function closed() {
  return kontikiError('CLOSED', 'node: closed', { outcome: 'rejected' });
}

function checkCall(options: NodeCallOptions, what: string): void {
  checkOptions(options, callOptionNames, what);
  checkCallOptions(options);
}
