/**
 * Changes of the membership, from any member: asks whoever leads until what is wanted is so, and then
 * waits until that is applied here.
 */
import type { Clock, Timers } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import { isPassing, type KontikiError, kontikiError, withOutcome } from '../base/errors.js';
import { sleep } from '../base/sleep.js';
import {
  decodeMembershipAnswer,
  encodeMembershipQuestion,
  type MembershipAnswer,
  type MembershipRequest,
} from '../codec/membership-codec.js';
import { isVoter } from '../raft/configuration.js';
import type { MemberId } from '../raft/types.js';
import type { MemberStatus, Membership } from './membership.js';
import type { Questions } from './questions.js';

/** @since 0.1.0 */
export interface MembersParts {
  readonly memberId: MemberId;
  readonly membership: Membership;
  readonly questions: Pick<Questions, 'ask'>;
  readonly readIndex: () => Promise<void>;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** @since 0.1.0 */
export interface MemberCallOptions {
  /** Milliseconds before the call gives up, above 0. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a member is added. @since 0.1.0 */
export interface AddedMember {
  readonly name: string;
  /** `host:port` where the others will reach it. */
  readonly address: string;
  /**
   * Votes at once, caught up or not; default false. A second voter, without which there would be no
   * quorum, votes once it has caught up.
   */
  readonly voter?: boolean | undefined;
  /** A learner becomes a voter once it has caught up; default true. */
  readonly promote?: boolean | undefined;
}

/** One call under way. */
interface Call {
  readonly request: MembershipRequest;
  readonly result: Deferred<MemberId>;
  /** Something may have been done about it. */
  isRetry: boolean;
  /** A question is on its way, and nobody knows yet what became of it. */
  isAsked: boolean;
  /** Milliseconds that the next question is given: the leader may be far behind with applying. */
  waitMs: number;
}

const nothing = { id: 0, by: 0, name: '', address: '', voter: false, promote: false };

/** Pauses between two questions of a call, in milliseconds. */
const pauses = { minMs: 5, maxMs: 100 } as const;
/** For the answer to one of them, longer each time. */
const waits = { minMs: 2_000, maxMs: 16_000 } as const;

/** @since 0.1.0 */
export class Members {
  readonly #parts: MembersParts;
  readonly #calls = new Set<Call>();
  #closed: KontikiError | undefined;

  constructor(parts: MembersParts) {
    this.#parts = parts;
  }

  /** Every member as of the last applied entry, ascending by id; a copy. */
  list(): MemberStatus[] {
    return this.#parts.membership.list();
  }

  /** Name of every member by id: a view that always has the present ones. */
  get names(): ReadonlyMap<MemberId, string> {
    return this.#parts.membership.names;
  }

  /**
   * Admits a member: it can join from when this resolves. Like all changes it is made through whoever
   * leads and applied here when this resolves; one that fails with outcome `unknown` may still be made.
   *
   * @returns its id, which no member had before and none will have again
   * @throws {KontikiError} MEMBER_EXISTS, TOO_MANY_MEMBERS, QUORUM_AT_RISK, DIR_REQUIRED (this group has
   *   a member that nobody can reach); NO_SPACE, TIMEOUT, ABORTED, CLOSED, or why the node
   *   stopped; `signal.reason`
   */
  add(member: AddedMember, options: MemberCallOptions): Promise<MemberId> {
    const { name, address, voter = false, promote = true } = member;
    return this.#call({ ...nothing, kind: 'add', name, address, voter, promote }, options);
  }

  /**
   * Removes a member, this one and the leader too. It stops with `MEMBER_REMOVED` once it hears of it,
   * and its id is never taken again.
   *
   * @throws {KontikiError} MEMBER_UNKNOWN, QUORUM_AT_RISK; and as {@link add}
   */
  async remove(id: MemberId, options: MemberCallOptions): Promise<void> {
    await this.#call({ ...nothing, kind: 'remove', id }, options);
  }

  /**
   * Makes a voter of a learner.
   *
   * @throws {KontikiError} MEMBER_UNKNOWN, MEMBER_NOT_LEARNER, LEARNER_NOT_READY, QUORUM_AT_RISK; and as
   *   {@link add}
   */
  async promote(id: MemberId, options: MemberCallOptions): Promise<void> {
    await this.#call({ ...nothing, kind: 'promote', id }, options);
  }

  /**
   * Tells where a member is to be reached from now on.
   *
   * @throws {KontikiError} MEMBER_UNKNOWN, MEMBER_EXISTS; and as {@link add}
   */
  async update(id: MemberId, address: string, options: MemberCallOptions): Promise<void> {
    await this.#call({ ...nothing, kind: 'update', id, address }, options);
  }

  /**
   * Removes a member and makes a voter of a learner, in one step: at no time there are more voters, or
   * fewer. Only a lone voter is first joined by the other, which then removes it.
   *
   * @throws {KontikiError} as {@link promote}
   */
  async replace(id: MemberId, by: MemberId, options: MemberCallOptions): Promise<void> {
    await this.#call({ ...nothing, kind: 'replace', id, by }, options);
  }

  /**
   * Lets a member lead.
   *
   * @throws {KontikiError} MEMBER_UNKNOWN; LEARNER_NOT_READY, for a learner; TIMEOUT, when it did not take
   *   over; and as {@link add}
   */
  async transferLeadership(id: MemberId, options: MemberCallOptions): Promise<void> {
    await this.#call({ ...nothing, kind: 'transfer', id }, options);
  }

  /** Ends every call, and every later one, with `error`. */
  close(error: KontikiError): void {
    this.#closed ??= error;
    for (const call of this.#calls) {
      // Whoever asked for the own removal got what it wanted.
      const { by, id, kind } = call.request;
      const isGone = error.code === 'MEMBER_REMOVED' && this.#isOwnEnd(call.request);
      if (isGone && kind === 'remove') call.result.resolve(id);
      else if (isGone && isVoter(this.#parts.membership.configuration, by)) call.result.resolve(by);
      else call.result.reject(outcomeOf(call, error.code, error.message));
    }
  }

  async #call(request: MembershipRequest, options: MemberCallOptions): Promise<MemberId> {
    const { signal, timeoutMs } = options;
    signal?.throwIfAborted();
    if (this.#closed !== undefined) throw withOutcome(this.#closed, 'rejected');
    const call: Call = {
      ...{ request, result: new Deferred<MemberId>(), isRetry: false, isAsked: false },
      waitMs: waits.minMs,
    };
    const timer = this.#parts.timers.after(timeoutMs, () => {
      const what = `was not made within ${timeoutMs} ms`;
      call.result.reject(outcomeOf(call, 'TIMEOUT', `node: the change of the membership ${what}`));
    });
    const abort = () => {
      const message = 'node: the change of the membership was aborted; it may still be made';
      const isDone = call.isRetry || call.isAsked;
      call.result.reject(isDone ? outcomeOf(call, 'ABORTED', message) : signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    this.#calls.add(call);
    void this.#pursue(call);
    try {
      return await call.result.promise;
    } finally {
      this.#calls.delete(call);
      timer.cancel();
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Asks until the call is settled. Never rejects. */
  async #pursue(call: Call): Promise<void> {
    for (let pauseMs: number = pauses.minMs; !call.result.settled; ) {
      try {
        await this.#attempt(call);
      } catch (error) {
        call.result.reject(error);
      }
      if (call.result.settled) return;
      await sleep(this.#parts.timers, pauseMs);
      pauseMs = Math.min(2 * pauseMs, pauses.maxMs);
    }
  }

  async #attempt(call: Call): Promise<void> {
    const answer = await this.#ask(call);
    if (answer?.status === 'refused') {
      call.result.reject(outcomeOf(call, answer.code, `node: ${answer.message}`));
    }
    if (answer?.status !== 'done') return;
    if (await this.#isAppliedHere(call)) call.result.resolve(answer.id);
  }

  async #ask(call: Call): Promise<MembershipAnswer | undefined> {
    const { isRetry, request } = call;
    call.isAsked = true;
    try {
      const question = encodeMembershipQuestion({ kind: 'change', request, isRetry });
      const answer = decodeMembershipAnswer(
        await this.#parts.questions.ask(question, true, call.waitMs),
      );
      // Here, for the call may be ended before whoever waits for this gets its turn.
      if (mayComeTrue(request, answer)) call.isRetry = true;
      return answer;
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (error.code === 'TIMEOUT') call.waitMs = Math.min(2 * call.waitMs, waits.maxMs);
      // The question, or only its answer, was lost: unless nobody was asked, or it was turned away.
      const isUndone = error.code === 'NO_LEADER' || error.outcome === 'rejected';
      if (!isUndone) call.isRetry = true;
      return undefined;
    } finally {
      call.isAsked = false;
    }
  }

  /** Nobody answers this member any more once it is done. */
  #isOwnEnd({ id, kind }: MembershipRequest): boolean {
    return id === this.#parts.memberId && (kind === 'remove' || kind === 'replace');
  }

  /** The next attempt finds what is wanted done, so a failed wait is no loss. */
  async #isAppliedHere({ request }: Call): Promise<boolean> {
    if (this.#isOwnEnd(request)) return true;
    try {
      await this.#parts.readIndex();
      return true;
    } catch (error) {
      if (!isPassing(error)) throw error;
      return false;
    }
  }
}

/** Whether what was asked for may be on its way; who is to lead may hear of it long after. */
function mayComeTrue({ kind }: MembershipRequest, { status }: MembershipAnswer): boolean {
  return status === 'under-way' || (status === 'again' && kind === 'transfer');
}

/** What was asked before may have been done, whatever the answer is now, or if there is none. */
function outcomeOf(call: Call, code: KontikiError['code'], message: string): KontikiError {
  const outcome = call.isRetry || call.isAsked ? 'unknown' : 'rejected';
  return kontikiError(code as 'TIMEOUT', message, { outcome });
}
