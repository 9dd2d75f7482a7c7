/**
 * A leader that is about to close lets another member lead first: the group would otherwise be without
 * one until the others notice.
 */
import type { Timers } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import type { RawNode } from '../raft/raw-node.js';
import { type MemberId, noMember } from '../raft/types.js';
import { giveUpLeadership } from './give-up-leadership.js';

/** @since 0.1.0 */
export class ClosingLeader {
  readonly #raft: RawNode;
  readonly #timers: Timers;
  #done: Deferred<void> | undefined;

  constructor(raft: RawNode, timers: Timers) {
    this.#raft = raft;
    this.#timers = timers;
  }

  /**
   * @param withinMs - after this it resolves all the same
   * @returns resolves once another member leads; `undefined` if nobody can or this member does not
   */
  handOver(withinMs: number): Promise<void> | undefined {
    if (this.#raft.role !== 'leader') return undefined;
    giveUpLeadership(this.#raft);
    if (this.#raft.status().transferee === noMember) return undefined;
    const done = new Deferred<void>();
    this.#done = done;
    const timer = this.#timers.after(withinMs, () => done.resolve());
    return done.promise.then(() => timer.cancel());
  }

  /** The core believes in another leader; `noMember` for none. */
  leaderChanged(leader: MemberId): void {
    if (leader !== noMember && leader !== this.#raft.id) this.#done?.resolve();
  }

  /** The member stopped: nobody is waited for any more. */
  stop(): void {
    this.#done?.resolve();
  }
}
