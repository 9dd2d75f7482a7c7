/**
 * A look into a node from outside its environment: how a simulation checks the very code that runs in
 * production.
 */
import type { ConfState } from '../raft/configuration.js';
import type { LogReader } from '../raft/log-reader.js';
import type { Message, PeerMessage } from '../raft/messages.js';
import type { RawNode } from '../raft/raw-node.js';
import type { ReadState } from '../raft/read-index.js';
import type { StorageAppend } from '../raft/ready.js';
import type { Entry, MemberId } from '../raft/types.js';
import type { ApplyResult, RequestId, StateMachine } from './state-machine.js';

/** A node as it opens. @since 0.1.0 */
export interface OpenedNode {
  readonly memberId: MemberId;
  /** Names its data directory, as peers are told it. */
  readonly dirId: string;
  readonly raft: RawNode;
  /** What the disk had, before the core raised the commit index to what is applied. */
  readonly log: LogReader;
  readonly machine: StateMachine;
  /** Last entry that the state machine has. */
  readonly appliedIndex: number;
}

/**
 * Called by a node, synchronously and in the order in which things happen. Must not throw and must not
 * call back into the node.
 *
 * @since 0.1.0
 */
export interface NodeObserver {
  /** Log and state machine are open; nothing has happened yet. */
  opened(node: OpenedNode): void;
  /** A command is about to be proposed under this name; inside the call of `propose`. */
  proposed(request: RequestId): void;
  /** The core is about to be given a message, of a peer or of its own storage or state machine. */
  received(message: Message): void;
  /** After every message that the core was given, refused ones included, every tick and every turn. */
  stepped(raft: RawNode): void;
  /** The core is asked for an index to read at, under this number. */
  readAsked(readId: number): void;
  /** It names one. */
  readAnswered(read: ReadState): void;
  /** A write is about to be handed to the log, or to be installed when it has a snapshot. */
  writing(append: StorageAppend): void;
  /** The write is durable; before anything that it promises leaves. Not told of the last ones of a node that failed. */
  written(append: StorageAppend): void;
  /** A message of the core is about to leave, at once or behind its write. */
  sent(message: PeerMessage): void;
  /** An entry changed who belongs to the group, as `state` says; before it is `applied`. */
  configured(index: number, state: ConfState): void;
  /** Entries were applied to the state machine, and this came of them. */
  applied(entries: readonly Entry[], results: readonly ApplyResult[]): void;
  /** A snapshot took the place of the state, up to and including `appliedIndex`. */
  installed(appliedIndex: number): void;
}
