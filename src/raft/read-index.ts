/**
 * Linearizable reads without a log entry (thesis §6.4): the leader notes its commit index, makes sure
 * by a round of heartbeats that nobody has replaced it, and only then names the index.
 *
 * Reads are counted, in order, per leadership. A heartbeat carries how many there are, its answer
 * echoes that, and so confirms all of them; an answer that comes late confirms only what was asked
 * before its heartbeat. The reader's own id is never the key: ids that are used again have confirmed
 * reads they were not about (etcd 20418).
 */
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { HeartbeatResponse, ReadRequest } from './messages.js';
import { jointCommittedIndex, type VoterHalves } from './quorum.js';
import type { Raft } from './raft.js';
import type { MemberId } from './types.js';
import { noMember } from './types.js';

/** A read that may be served once the state machine has applied `index`. @since 0.1.0 */
export interface ReadState {
  readonly readId: number;
  readonly index: number;
  /**
   * A lease answered: nobody else leads, but the quorum that says so was asked up to the length of the
   * lease before the read was.
   */
  readonly byLease?: true;
}

interface PendingRead {
  readonly from: MemberId;
  readonly readId: number;
  readonly index: number;
}

/** The reads of one leadership; a new one starts with none. @since 0.1.0 */
export class ReadQueue {
  /** Reads before the first of `#unconfirmed`. */
  #confirmed = 0;
  #unconfirmed: PendingRead[] = [];
  /** How many reads each member has confirmed. */
  readonly #acks = new Map<MemberId, number>();
  /** Waits for the first commit of the own term. */
  #early: { from: MemberId; readId: number }[] = [];

  /** What heartbeats carry: the number of all reads so far, 0 while none waits. */
  get reads(): number {
    const waiting = this.#unconfirmed.length;
    return waiting === 0 ? 0 : this.#confirmed + waiting;
  }

  get hasEarly(): boolean {
    return this.#early.length > 0;
  }

  /** Reads that wait for anything. */
  get size(): number {
    return this.#unconfirmed.length + this.#early.length;
  }

  addEarly(from: MemberId, readId: number): void {
    this.#early.push({ from, readId });
  }

  takeEarly(): readonly { readonly from: MemberId; readonly readId: number }[] {
    const early = this.#early;
    this.#early = [];
    return early;
  }

  add(read: PendingRead): void {
    this.#unconfirmed.push(read);
  }

  /** `id` has confirmed the first `reads` reads; nobody can confirm what was not asked yet. */
  acknowledge(id: MemberId, reads: number): void {
    const asked = Math.min(reads, this.#confirmed + this.#unconfirmed.length);
    this.#acks.set(id, Math.max(this.#acks.get(id) ?? 0, asked));
  }

  /** Takes what a quorum has confirmed, in order. */
  takeConfirmed(voters: VoterHalves): readonly PendingRead[] {
    if (this.#unconfirmed.length === 0) return [];
    const upTo = jointCommittedIndex(voters, (id) => this.#acks.get(id));
    const count = Math.min(upTo - this.#confirmed, this.#unconfirmed.length);
    if (count <= 0) return [];
    this.#confirmed += count;
    return this.#unconfirmed.splice(0, count);
  }
}

/**
 * Starts a read on whatever role the member has; without a leader it is refused.
 *
 * @param nowMs - the monotonic clock, read for this call; 0 when there is none. Only with it may a
 *   lease answer
 * @throws {KontikiError} NO_LEADER; OVERLOADED, when too many reads wait on this leader
 * @since 0.1.0
 */
export function readIndex(raft: Raft, readId: number, nowMs: number): void {
  if (raft.role === 'leader') {
    const { lease, configuration, leaseMs, hasCommittedInTerm } = raft;
    if (leaseMs > 0 && hasCommittedInTerm && lease.holds(configuration, raft.id, nowMs, leaseMs)) {
      raft.readStates.push({ readId, index: raft.log.committed, byLease: true });
    } else startRead(raft, raft.id, readId);
    return;
  }
  if (raft.leader === noMember)
    throw kontikiError('NO_LEADER', 'raft: no leader to ask for a read');
  const { id: from, leader: to, term } = raft;
  raft.send({ kind: 'read-request', from, to, term, readId });
}

/** A member's read arrives at the leader. Too many: dropped, the reader asks again. @since 0.1.0 */
export function onReadRequest(raft: Raft, message: ReadRequest): void {
  if (raft.reads.size < limits.readsMax) startRead(raft, message.from, message.readId);
}

function startRead(raft: Raft, from: MemberId, readId: number): void {
  if (raft.reads.size >= limits.readsMax) {
    const message = `raft: expected fewer than ${limits.readsMax} reads waiting at once`;
    throw kontikiError('OVERLOADED', message);
  }
  // Thesis §6.4: only after a commit of its own term does a leader know what is committed.
  if (!raft.hasCommittedInTerm) raft.reads.addEarly(from, readId);
  else confirmRead(raft, from, readId);
}

function confirmRead(raft: Raft, from: MemberId, readId: number): void {
  const { reads } = raft;
  reads.add({ from, readId, index: raft.log.committed });
  reads.acknowledge(raft.id, reads.reads);
  // Alone, the own word is a quorum; with others nobody else may have been asked yet (O9).
  releaseReads(raft);
  if (reads.reads > 0) raft.wantsHeartbeat = true;
}

/** The first commit of the own term: the reads that waited for it begin. @since 0.1.0 */
export function startEarlyReads(raft: Raft): void {
  for (const { from, readId } of raft.reads.takeEarly()) confirmRead(raft, from, readId);
}

/** @since 0.1.0 */
export function onReadsConfirmed(raft: Raft, message: HeartbeatResponse): void {
  if (message.reads === 0) return;
  raft.reads.acknowledge(message.from, message.reads);
  releaseReads(raft);
}

/** Answers the reads that a quorum has confirmed. @since 0.1.0 */
export function releaseReads(raft: Raft): void {
  for (const { from, readId, index } of raft.reads.takeConfirmed(raft.configuration)) {
    if (from === raft.id) raft.readStates.push({ readId, index });
    else {
      const { id, term } = raft;
      raft.send({ kind: 'read-response', from: id, to: from, term, readId, index });
    }
  }
}
