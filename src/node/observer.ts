/**
 * A look into a node from outside its environment: how a simulation checks the very code that runs in
 * production.
 */
import type { RawNode } from '../raft/raw-node.js';
import type { Entry } from '../raft/types.js';
import type { ApplyResult, RequestId } from './state-machine.js';

/**
 * Called by a node, synchronously and in the order in which things happen. Must not throw and must not
 * call back into the node.
 *
 * @since 0.1.0
 */
export interface NodeObserver {
  /** A command is about to be proposed under this name; inside the call of `propose`. */
  proposed(request: RequestId): void;
  /** After every message that the core was given, every tick and every turn. */
  stepped(raft: RawNode): void;
  /** Entries were applied to the state machine, and this came of them. */
  applied(entries: readonly Entry[], results: readonly ApplyResult[]): void;
  /** A snapshot took the place of the state, up to and including `appliedIndex`. */
  installed(appliedIndex: number): void;
}
