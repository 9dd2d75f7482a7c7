/**
 * Everything that travels between members: messages of the core, and the driver's own.
 */
import type { Envelope, PeerMessage } from '../raft/messages.js';

/**
 * A proposal that another member passes to the leader. `term` is the term it is meant for: the
 * leader of any other term refuses, so once an entry of a later term is applied, a proposal that
 * has not been applied never will be.
 *
 * @since 0.1.0
 */
export interface ForwardRequest extends Envelope {
  readonly kind: 'forward-request';
  /** Names the proposals in the refusal; unique per sender. */
  readonly id: number;
  /** Commands, each to become one entry, in order. */
  readonly commands: readonly Uint8Array[];
}

/** The leader did not append any of the commands, and never will. @since 0.1.0 */
export interface ForwardRefusal extends Envelope {
  readonly kind: 'forward-refusal';
  readonly id: number;
  /** Error code of the refusal: `NOT_LEADER` or `PROPOSAL_DROPPED`. */
  readonly code: 'NOT_LEADER' | 'PROPOSAL_DROPPED';
}

/** What one member sends another. @since 0.1.0 */
export type WireMessage = PeerMessage | ForwardRequest | ForwardRefusal;
