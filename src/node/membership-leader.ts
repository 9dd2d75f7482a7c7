/**
 * The leader's side of the membership: answers those who ask for a change, makes voters of learners
 * that have caught up, and knows who answered lately.
 *
 * It answers at once: "under way" as soon as something was done about a request. Whoever asks asks
 * again until what was wanted is so, of a later leader if need be; nothing is kept about requests.
 */
import type { Clock } from '../base/clock.js';
import { isKontikiError, kontikiError, withOutcome } from '../base/errors.js';
import { limits } from '../base/limits.js';
import {
  type ChangeQuestion,
  decodeMembershipQuestion,
  encodeMembershipAnswer,
  type MembershipAnswer,
  type MembershipRefusal,
  type MembershipRequest,
} from '../codec/membership-codec.js';
import type { ConfChangeV2 } from '../raft/conf-change.js';
import { isJoint } from '../raft/configuration.js';
import type { RawNode } from '../raft/raw-node.js';
import type { ProgressStatus, RaftStatus } from '../raft/status.js';
import { type MemberId, noMember } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import type { MemberIdentity } from '../transport/transport.js';
import { giveUpLeadership } from './give-up-leadership.js';
import type { Membership } from './membership.js';
import { type MembershipPlan, planMembership } from './membership-rules.js';
import type { PeerRegistry } from './peer-registry.js';

/** @since 0.1.0 */
export interface MembershipLeaderParts {
  readonly identity: MemberIdentity;
  readonly raft: RawNode;
  readonly log: Pick<LogStore, 'hasSpace'>;
  readonly membership: Membership;
  readonly peers: Pick<PeerRegistry, 'vouch'>;
  readonly clock: Clock;
  /** Who was silent for as long, in milliseconds, does not count as active. */
  readonly electionMs: number;
  /** A turn is due. */
  readonly wake: () => void;
  /**
   * Resolves once a quorum said that this member leads still, and it has applied what was committed when
   * asked.
   */
  readonly readIndex: () => Promise<void>;
}

/** @since 0.1.0 */
export class MembershipLeader {
  readonly #parts: MembershipLeaderParts;
  /** When each member was last known to have answered in this term, and how often it had by then. */
  readonly #heard = new Map<MemberId, { readonly answers: number; readonly atMs: number }>();
  #term = 0;
  #sinceMs = 0;
  /** Entry of the last change that this member proposed in the term. */
  #proposedIndex = 0;
  /** When leadership was last to move, in milliseconds. */
  #movedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: MembershipLeaderParts) {
    this.#parts = parts;
  }

  /** Time passes. */
  tick(): void {
    const { clock, membership, raft } = this.#parts;
    if (raft.role !== 'leader' || membership.directory.members.length < 2) return;
    const nowMs = clock.monotonicMs();
    this.#enter(raft.term, nowMs);
    const status = raft.status();
    for (const { id, answers } of status.progress) {
      // The core takes one that was just added for active, which may not even have been started.
      if (answers === 0 || answers === this.#heard.get(id)?.answers) continue;
      this.#heard.set(id, { answers, atMs: nowMs });
    }
    this.#promote(status);
  }

  /**
   * Answers a question about the membership.
   *
   * @throws {KontikiError} NOT_LEADER and whatever says that this member cannot tell
   */
  async answer(bytes: Uint8Array): Promise<Uint8Array> {
    const question = decodeMembershipQuestion(bytes);
    if (question.kind === 'vouch') return encodeMembershipAnswer(await this.#vouch(question));
    return encodeMembershipAnswer(await this.#answerChange(question));
  }

  /**
   * What is done about a change shows by itself whether this member leads. That it is so already, or
   * makes no sense, one could say that was deposed and has not heard of it.
   */
  async #answerChange(question: ChangeQuestion): Promise<MembershipAnswer> {
    const { raft, readIndex } = this.#parts;
    const answer = this.#change(question.request, question.isRetry);
    if (answer.status !== 'done' && answer.status !== 'refused') return answer;
    try {
      await readIndex();
    } catch (error) {
      // Nothing was done about it.
      throw isKontikiError(error) ? withOutcome(error, 'rejected') : error;
    }
    if (raft.role === 'leader') return this.#change(question.request, question.isRetry);
    throw kontikiError('LEADER_CHANGED', 'node: this member leads no more', {
      outcome: 'rejected',
    });
  }

  async #vouch({
    peer,
    probe,
  }: {
    peer: MemberIdentity;
    probe: boolean;
  }): Promise<MembershipAnswer> {
    try {
      await this.#parts.peers.vouch(peer, probe);
      return { status: 'done', id: peer.memberId };
    } catch (error) {
      if (!isKontikiError(error) || error.code === 'NO_LEADER') throw error;
      // Any other than a refusal cannot be written down, and so says nothing.
      return { status: 'refused', code: error.code as MembershipRefusal, message: error.message };
    }
  }

  #change(request: MembershipRequest, isRetry: boolean): MembershipAnswer {
    const { clock, log, raft } = this.#parts;
    this.#enter(raft.term, clock.monotonicMs());
    const status = raft.status();
    const plan = planMembership(request, this.#facts(status), isRetry);
    // It has not heard of everybody yet.
    if (plan.status === 'refused' && this.#isYoung && isForNow(plan.code, request)) {
      return { status: 'again' };
    }
    if (plan.status === 'done' && this.#isForgetting(request.id)) return { status: 'again' };
    if (plan.status !== 'propose' && plan.status !== 'transfer' && plan.status !== 'leave') {
      return plan;
    }
    if (this.#isBusy(status)) return { status: 'again' };
    if (plan.status === 'propose' && !log.hasSpace) {
      return { status: 'refused', code: 'NO_SPACE', message: 'the leader has no disk space' };
    }
    return this.#carryOut(plan);
  }

  /** Whoever asks may take a member away that is said to be gone, and a crash here may make it needed again. */
  #isForgetting(id: MemberId): boolean {
    const { membership } = this.#parts;
    return membership.directory.removed.includes(id) && !membership.isRemoved(id);
  }

  #carryOut(plan: MembershipPlan & { status: 'propose' | 'transfer' | 'leave' }): MembershipAnswer {
    const { raft, wake } = this.#parts;
    wake();
    if (plan.status === 'propose') return this.#propose(plan.change);
    if (plan.status === 'leave') return this.#leave();
    this.#move(() => raft.transferLeader(plan.to));
    // Only leadership moves, which changes nothing about the group.
    return { status: 'again' };
  }

  /** Nothing is written while leadership is on its way, so one attempt does not follow upon the other. */
  #move(handOver: () => void): void {
    const { clock, electionMs, raft } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#movedMs < restBetweenMoves * electionMs) return;
    handOver();
    if (raft.status().transferee !== noMember) this.#movedMs = nowMs;
  }

  /**
   * A leader that removes itself leaves the group without one for an election timeout, so another is to
   * lead by then. Whoever was just handed leadership keeps it for a while: the one before it may be about
   * to be removed, too, and the two would hand it to and fro.
   */
  #leave(): MembershipAnswer {
    if (!this.#isYoung) this.#move(() => giveUpLeadership(this.#parts.raft));
    return { status: 'again' };
  }

  #propose(change: ConfChangeV2): MembershipAnswer {
    try {
      const appended = this.#parts.raft.proposeConfChange(change);
      if (appended === undefined) return { status: 'again' };
      this.#proposedIndex = appended.first.index;
      return { status: appended.refused === undefined ? 'under-way' : 'again' };
    } catch (error) {
      if (isKontikiError(error, 'PROPOSAL_DROPPED')) return { status: 'again' };
      throw error;
    }
  }

  /** Learners that are to become voters do, one at a time, as soon as they can. */
  #promote(status: RaftStatus): void {
    const { log, membership, wake } = this.#parts;
    const learner = membership.directory.members.find(({ id, promote }) => {
      return promote && this.#isActive(id) && isCaughtUp(status, id);
    });
    if (learner === undefined || this.#isBusy(status) || !log.hasSpace) return;
    const request = { kind: 'promote', id: learner.id, by: 0, ...noTexts } as const;
    const plan = planMembership(request, this.#facts(status), false);
    if (plan.status !== 'propose') return;
    this.#propose(plan.change);
    wake();
  }

  /** A change or a handover is under way. */
  #isBusy({ applied, configuration, transferee }: RaftStatus): boolean {
    return this.#proposedIndex > applied || isJoint(configuration) || transferee !== noMember;
  }

  #facts(status: RaftStatus) {
    const { identity, membership } = this.#parts;
    const { configuration, directory } = membership;
    return {
      ...{ self: identity.memberId, clusterId: identity.clusterId, configuration, directory },
      nextIndex: status.lastIndex + 1,
      isActive: (id: MemberId) => this.#isActive(id),
      isCaughtUp: (id: MemberId) => isCaughtUp(status, id),
    };
  }

  #isActive(id: MemberId): boolean {
    const { clock, electionMs } = this.#parts;
    const atMs = this.#heard.get(id)?.atMs ?? Number.NEGATIVE_INFINITY;
    return clock.monotonicMs() - atMs <= electionMs;
  }

  /** Has not led for long enough to have heard of everybody. */
  get #isYoung(): boolean {
    const { clock, electionMs } = this.#parts;
    return clock.monotonicMs() - this.#sinceMs <= electionMs;
  }

  #enter(term: number, nowMs: number): void {
    if (term === this.#term) return;
    this.#term = term;
    this.#sinceMs = nowMs;
    this.#heard.clear();
    this.#proposedIndex = 0;
    this.#movedMs = Number.NEGATIVE_INFINITY;
  }
}

/** A handover takes an election timeout at most; so many from its start to the next one's. */
const restBetweenMoves = 3;

/** A refusal for what this member knows of the others, and not for what is asked. */
function isForNow(code: MembershipRefusal, { kind }: MembershipRequest): boolean {
  return code === 'QUORUM_AT_RISK' || (code === 'LEARNER_NOT_READY' && kind !== 'transfer');
}

const noTexts = { name: '', address: '', voter: false, promote: false };

/** Whether a member streams, and has nearly all of this leader's log. @since 0.1.0 */
export function isCaughtUp(
  { lastIndex, progress }: Pick<RaftStatus, 'lastIndex' | 'progress'>,
  id: MemberId,
): boolean {
  const of: ProgressStatus | undefined = progress.find((each) => each.id === id);
  if (of === undefined || of.state !== 'replicate' || of.match === 0) return false;
  return lastIndex - of.match <= limits.learnerLagEntriesMax;
}
