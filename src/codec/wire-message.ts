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
  /** Error code of the refusal. */
  readonly code: 'NOT_LEADER' | 'PROPOSAL_DROPPED' | 'NO_SPACE';
}

/** A question to the member that leads. @since 0.1.0 */
export interface AskRequest extends Envelope {
  readonly kind: 'ask-request';
  /** Names the question in the answer; unique per sender. */
  readonly id: number;
  readonly data: Uint8Array;
  /** The driver's own, about the membership; the others are the state machine's owner's. */
  readonly membership?: true;
}

/** Its answer. @since 0.1.0 */
export interface AskResponse extends Envelope {
  readonly kind: 'ask-response';
  readonly id: number;
  /** Absent: the member does not lead, or cannot say. */
  readonly data?: Uint8Array;
}

/** A piece of the snapshot that a `snapshot-request` announced. @since 0.1.0 */
export interface SnapshotChunk extends Envelope {
  readonly kind: 'snapshot-chunk';
  /** Names the stream; in the data of the request, too. */
  readonly id: number;
  /** Number of the chunk, from 0. */
  readonly at: number;
  /** All before it were right, and there are no more. */
  readonly isLast: boolean;
  readonly data: Uint8Array;
}

/** How far the receiver of a snapshot is. @since 0.1.0 */
export interface SnapshotAck extends Envelope {
  readonly kind: 'snapshot-ack';
  readonly id: number;
  /** Chunks before this one are stored. */
  readonly next: number;
  /** `installing`: all are stored. `done`: the member is at the snapshot, or beyond it. */
  readonly state: 'receiving' | 'installing' | 'done' | 'failed';
}

/** What one member sends another. @since 0.1.0 */
export type WireMessage =
  | PeerMessage
  | ForwardRequest
  | ForwardRefusal
  | AskRequest
  | AskResponse
  | SnapshotChunk
  | SnapshotAck;
