/**
 * Elects without waiting for the election timeout when there is reason to think that the leader's
 * process is gone: its connection was reset or refused (DESIGN §4.20). A hint is not proof, so the
 * election begins with a pre-vote: members that still hear from the leader refuse it, and nothing is
 * disturbed. A leader that went silent without a reset still takes the timeout.
 */
import type { Timer, Timers } from '../base/clock.js';
import { type Random, randomInt } from '../base/prng.js';
import { noMember } from '../raft/types.js';

/** What it needs of the core. @since 0.1.0 */
export interface FailoverNode {
  readonly role: string;
  readonly leader: number;
  readonly term: number;
  forgetLeader(): void;
  campaign(): void;
}

/** Longest pause before each attempt, in milliseconds; drawn from the upper three quarters of it. */
const attemptsMs = [40, 120, 240] as const;

/** @since 0.1.0 */
export class FastFailover {
  readonly #raft: FailoverNode;
  readonly #env: { readonly timers: Timers; readonly random: Random };
  readonly #onCampaign: () => void;
  #timer: Timer | undefined;

  /**
   * @param onCampaign - called after each attempt, so that its messages leave
   */
  constructor(
    raft: FailoverNode,
    env: { readonly timers: Timers; readonly random: Random },
    onCampaign: () => void,
  ) {
    this.#raft = raft;
    this.#env = env;
    this.#onCampaign = onCampaign;
  }

  /** The connection to `memberId` was lost or could not be made. */
  linkLost(memberId: number): void {
    if (this.#raft.role !== 'follower' || this.#raft.leader !== memberId) return;
    this.#raft.forgetLeader();
    this.#schedule(0, this.#raft.term);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #schedule(attempt: number, term: number): void {
    const longest = attemptsMs[attempt];
    if (longest === undefined) return;
    this.#timer?.cancel();
    // Both survivors get the hint at once: drawn apart, one of them usually comes first.
    const pause = longest / 4 + randomInt(this.#env.random, (longest * 3) / 4);
    this.#timer = this.#env.timers.after(pause, () => this.#attempt(attempt, term));
  }

  #attempt(attempt: number, term: number): void {
    const { leader, role } = this.#raft;
    // Somebody leads, is being elected, or asked us meanwhile.
    if (leader !== noMember || this.#raft.term !== term || role === 'candidate') return;
    this.#raft.campaign();
    this.#onCampaign();
    this.#schedule(attempt + 1, term);
  }
}
