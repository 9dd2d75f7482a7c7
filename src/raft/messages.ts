/**
 * What members say to each other, and what the storage says to the core: a closed union, so that a
 * new kind fails to compile wherever it is not handled.
 */
import type { Entry, LogId, MemberId, Proposal, Snapshot } from './types.js';

/** Fields of every message. @since 0.1.0 */
export interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  /** The sender's term; of the *next* term in a pre-vote request and in its grant. */
  readonly term: number;
}

/** Leader to follower: append after `previous` (Raft figure 2, AppendEntries). @since 0.1.0 */
export interface AppendRequest extends Envelope {
  readonly kind: 'append-request';
  readonly previous: LogId;
  readonly entries: readonly Entry[];
  readonly commit: number;
}

/**
 * Answer to an append. Accepted: `index` is the last index known to match. Rejected: `index` is the
 * `previous.index` that did not match, `hint` the newest position of the follower that might.
 *
 * @since 0.1.0
 */
export interface AppendResponse extends Envelope {
  readonly kind: 'append-response';
  readonly index: number;
  readonly hint?: LogId;
}

/** Leader to follower: I am here; `commit` is never above what the follower has. @since 0.1.0 */
export interface HeartbeatRequest extends Envelope {
  readonly kind: 'heartbeat-request';
  readonly commit: number;
  /** Reads of this leader's term that an answer confirms; 0 while none waits (see read-index.ts). */
  readonly reads: number;
  /** The leader's clock when it sent this, in ms, at most; 0 while it uses no lease (lease.ts). */
  readonly sentAt: number;
}

/** Answer to a heartbeat; echoes `reads`. @since 0.1.0 */
export interface HeartbeatResponse extends Envelope {
  readonly kind: 'heartbeat-response';
  readonly reads: number;
  /** Echo of the request's, by which the member pledges its lease; 0 from one that gives none. */
  readonly sentAt: number;
}

/**
 * Leader to follower: the entries you need are gone from my log, start from this state instead
 * (Raft figure 13, in one piece: how `snapshot.data` travels is the driver's).
 *
 * @since 0.1.0
 */
export interface SnapshotRequest extends Envelope {
  readonly kind: 'snapshot-request';
  readonly snapshot: Snapshot;
}

/** Leader to the member it hands over to: campaign at once (thesis §3.10). @since 0.1.0 */
export interface TimeoutNow extends Envelope {
  readonly kind: 'timeout-now';
}

/** A member asks its leader to hand over to `transferee`. @since 0.1.0 */
export interface TransferRequest extends Envelope {
  readonly kind: 'transfer-request';
  readonly transferee: MemberId;
}

/**
 * A member passes proposals to its leader. `term` is 0: whoever leads when it arrives may take
 * them, and a higher term of the sender must not depose a leader by it (semantics H2).
 *
 * @since 0.1.0
 */
export interface ProposeRequest extends Envelope {
  readonly kind: 'propose-request';
  readonly proposals: readonly Proposal[];
}

/**
 * A member asks its leader for an index to read at. `term` is the leader's that the member knows: a
 * leader of another term does not answer.
 *
 * @since 0.1.0
 */
export interface ReadRequest extends Envelope {
  readonly kind: 'read-request';
  /** Names the read; never used twice by a member, retries included (etcd 20418). */
  readonly readId: number;
}

/** Everything acknowledged before the read was asked for is at or below `index`. @since 0.1.0 */
export interface ReadResponse extends Envelope {
  readonly kind: 'read-response';
  readonly readId: number;
  readonly index: number;
}

/** A candidate asks for a vote in its term (Raft §5.2, §5.4.1). @since 0.1.0 */
export interface VoteRequest extends Envelope {
  readonly kind: 'vote-request';
  readonly last: LogId;
  /** The last entry that the candidate has applied; absent for none. See commit-by-vote.ts. */
  readonly commit?: LogId;
  /** The leader itself asked for this election: no lease of its stands against it. */
  readonly transfer?: true;
}

/** @since 0.1.0 */
export interface VoteResponse extends Envelope {
  readonly kind: 'vote-response';
  readonly granted: boolean;
  /** The last entry that the voter has applied; absent for none. See commit-by-vote.ts. */
  readonly commit?: LogId;
}

/** Would you vote for me in this next term? Changes nothing (thesis §9.6). @since 0.1.0 */
export interface PreVoteRequest extends Envelope {
  readonly kind: 'pre-vote-request';
  readonly last: LogId;
  /** As in {@link VoteRequest}. */
  readonly commit?: LogId;
}

/** @since 0.1.0 */
export interface PreVoteResponse extends Envelope {
  readonly kind: 'pre-vote-response';
  readonly granted: boolean;
  /** As in {@link VoteResponse}. */
  readonly commit?: LogId;
}

/**
 * The storage finished a {@link StorageAppend}. `term` is the member's term when the write was
 * handed out: after a term change the same (index, term) may have been written twice with another
 * entry between, so an answer from an earlier term proves nothing (the ABA rule, semantics §16).
 *
 * @since 0.1.0
 */
export interface StorageAppendResponse extends Envelope {
  readonly kind: 'storage-append-response';
  /** Last entry of the log when the write was handed out; zero when nothing awaited the storage. */
  readonly last: LogId;
  /** The snapshot that was in the write. It stands in any term. */
  readonly snapshot?: LogId;
}

/** The state machine finished a {@link StorageApply}. @since 0.1.0 */
export interface StorageApplyResponse extends Envelope {
  readonly kind: 'storage-apply-response';
  /** Last applied index. */
  readonly index: number;
  /** Payload and encoded bytes of the applied entries, for the two budgets they return to. */
  readonly payloadBytes: number;
  readonly encodedBytes: number;
}

/** What travels between members. @since 0.1.0 */
export type PeerMessage =
  | AppendRequest
  | AppendResponse
  | HeartbeatRequest
  | HeartbeatResponse
  | VoteRequest
  | VoteResponse
  | PreVoteRequest
  | PreVoteResponse
  | ReadRequest
  | ReadResponse
  | SnapshotRequest
  | TimeoutNow
  | TransferRequest
  | ProposeRequest;

/** What a member's own storage and state machine answer. @since 0.1.0 */
export type LocalMessage = StorageAppendResponse | StorageApplyResponse;

/** Everything `step` takes. @since 0.1.0 */
export type Message = PeerMessage | LocalMessage;
