/**
 * Hands what waits over to whoever leads: proposals and reads go to the own core, or, as
 * `forward-request` and `read-request`, to the leader; and takes what other members pass on here.
 *
 * A forwarded proposal names the term it is meant for, and no leader of another term takes it (ADR
 * 0003): that is what makes a lost one certainly lost once a later term is applied.
 */
import { unreachable } from '../base/assert.js';
import type { Clock } from '../base/clock.js';
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { ForwardRefusal, ForwardRequest } from '../codec/wire-message.js';
import type { RawNode } from '../raft/raw-node.js';
import { type MemberId, noMember } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import type { Transport } from '../transport/transport.js';
import { commandBytesMax } from './named-command.js';
import { nodeLimits } from './node-limits.js';
import type { Proposals } from './proposals.js';
import type { Reads } from './reads.js';
import { SeenBatches } from './seen-batches.js';

/** @since 0.1.0 */
export interface HandoverParts {
  readonly memberId: MemberId;
  readonly raft: RawNode;
  readonly log: Pick<LogStore, 'hasSpace'>;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly clock: Clock;
  readonly transport: Transport;
}

/** @since 0.1.0 */
export class Handover {
  readonly #parts: HandoverParts;
  /** Members with a standing connection from here. */
  readonly #links = new Set<MemberId>();
  readonly #seen = new SeenBatches();
  /** Term whose leader refused what is to be handed over again; nothing is until the next tick. */
  #pausedTerm = 0;

  constructor(parts: HandoverParts) {
    this.#parts = parts;
  }

  /** The outgoing connection to a member stands or fell. */
  onLink(memberId: MemberId, connected: boolean): void {
    if (connected) this.#links.add(memberId);
    else this.#links.delete(memberId);
  }

  /** Time passes: who refused may fare better now. */
  tick(): void {
    this.#pausedTerm = 0;
  }

  /** Hands over whatever can be; the rest waits for a leader, or for a connection to it. */
  run(): void {
    this.#handOverProposals();
    this.#handOverReads();
  }

  /** Members that can be reached. */
  get linked(): readonly MemberId[] {
    return [...this.#links];
  }

  /** Without a connection a request would be lost: better wait for one, or for a new leader. */
  get canReachLeader(): boolean {
    const { leader, role } = this.#parts.raft;
    return role === 'leader' || (leader !== noMember && this.#links.has(leader));
  }

  #handOverProposals(): void {
    const { proposals, raft } = this.#parts;
    const { leader, role, term } = raft;
    proposals.refuseForeign(role === 'leader' ? term : 0);
    while (proposals.hasQueued && this.canReachLeader && term !== this.#pausedTerm) {
      const to = role === 'leader' ? 0 : leader;
      const { id, commands } = proposals.take(term, limits.appendBytesMax, to);
      if (commands.length === 0) return;
      if (role === 'leader') this.#proposeHere(id, commands);
      else this.#forward(leader, id, commands);
    }
  }

  #proposeHere(id: number, commands: readonly Uint8Array[]): void {
    const code = this.#propose(commands);
    if (code !== undefined) this.#refused(this.#parts.raft.term, id, code);
  }

  #refused(term: number, id: number, code: ForwardRefusal['code']): void {
    if (this.#parts.proposals.refuse(id, refusal(code))) this.#pausedTerm = term;
  }

  /** Appends to the own log as the leader, or says why not. */
  #propose(commands: readonly Uint8Array[]): ForwardRefusal['code'] | undefined {
    const { log, raft } = this.#parts;
    // Before the log is in the middle of a write (DESIGN §4.15).
    if (!log.hasSpace) return 'NO_SPACE';
    try {
      raft.propose(commands);
      return undefined;
    } catch (error) {
      if (isKontikiError(error, 'PROPOSAL_DROPPED')) {
        // On its way to another member, who will take what is sent again.
        return raft.status().transferee === noMember ? error.code : 'NOT_LEADER';
      }
      if (isKontikiError(error, 'NOT_LEADER')) return error.code;
      throw error;
    }
  }

  /** A hostile or broken member may send what fits a frame on its way here, and none to the others. */
  #proposeForwarded(commands: readonly Uint8Array[]): ForwardRefusal['code'] | undefined {
    const bytes = commands.reduce((sum, { length }) => sum + length, 0);
    const { lastIndex, applied } = this.#parts.raft.status();
    // Entries weigh more in memory than their bytes, which are all that the core counts.
    const isTooMany = lastIndex - applied + commands.length > nodeLimits.backlogEntriesMax;
    return bytes > commandBytesMax || isTooMany ? 'PROPOSAL_DROPPED' : this.#propose(commands);
  }

  #forward(to: MemberId, id: number, commands: readonly Uint8Array[]): void {
    const { memberId: from, raft, transport } = this.#parts;
    transport.send({ kind: 'forward-request', from, to, term: raft.term, id, commands });
  }

  #handOverReads(): void {
    const { clock, reads } = this.#parts;
    if (!reads.hasQueued && !reads.hasQueuedByQuorum) return;
    if (!this.canReachLeader) return;
    const now = clock.monotonicMs();
    // Without the time no lease answers.
    if (reads.hasQueuedByQuorum) this.#askForRead(reads.takeByQuorum(now));
    if (reads.hasQueued) this.#askForRead(reads.take(now), now);
  }

  #askForRead(id: number, now?: number): void {
    const { raft, reads } = this.#parts;
    try {
      raft.readIndex(id, now);
    } catch (error) {
      if (!isKontikiError(error, 'OVERLOADED')) throw error;
      reads.refuse(id, error);
    }
  }

  /** A follower passes proposals on to this member, as the leader of the term it knows. */
  onForward(message: ForwardRequest): void {
    // Nothing to append, and so nobody to answer.
    if (message.commands.length === 0) return;
    if (!this.#seen.isNew(message.from, message.id)) return;
    const { raft, transport } = this.#parts;
    const isMeant = raft.role === 'leader' && raft.term === message.term;
    const code = isMeant ? this.#proposeForwarded(message.commands) : 'NOT_LEADER';
    if (code === undefined) return;
    const { from, to, term, id } = message;
    transport.send({ kind: 'forward-refusal', from: to, to: from, term, id, code });
  }

  /** The leader did not take what this member passed on. */
  onRefusal(message: ForwardRefusal): void {
    this.#refused(message.term, message.id, message.code);
  }
}

function refusal(code: ForwardRefusal['code']): KontikiError {
  switch (code) {
    case 'NOT_LEADER':
      return kontikiError('LEADER_CHANGED', 'node: the member asked does not lead the term', {
        outcome: 'rejected',
      });
    case 'PROPOSAL_DROPPED':
      return kontikiError('OVERLOADED', 'node: the leader has too many unapplied writes', {
        outcome: 'rejected',
      });
    case 'NO_SPACE':
      return kontikiError('NO_SPACE', 'node: the leader has no disk space for its log', {
        outcome: 'rejected',
      });
    default:
      return unreachable(code);
  }
}
