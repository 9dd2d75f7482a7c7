/**
 * What a member does while its log finds no space on the disk (DESIGN §4.15): it looks for space again,
 * and as the leader it hands leadership to a member that may have some. Its own term could take no
 * proposal.
 */
import type { RawNode } from '../raft/raw-node.js';
import { noMember } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';

/** @since 0.1.0 */
export class FullDisk {
  readonly #raft: RawNode;
  readonly #log: Pick<LogStore, 'hasSpace' | 'reserve'>;
  /** Ticks between two attempts: members that are all full must not pass it around all the time. */
  readonly #pauseTicks: number;
  #ticksLeft = 0;

  /**
   * @param raft - of this member
   * @param log - of this member
   * @param electionTicks - ticks that a handover may take
   */
  constructor(raft: RawNode, log: Pick<LogStore, 'hasSpace' | 'reserve'>, electionTicks: number) {
    this.#raft = raft;
    this.#log = log;
    this.#pauseTicks = 2 * electionTicks;
  }

  /** Called with each tick, inside a turn. */
  tick(): void {
    if (this.#ticksLeft > 0) this.#ticksLeft -= 1;
    if (this.#log.hasSpace) return;
    // Nothing else would find the space again: without it no proposal is taken.
    void this.#log.reserve();
    if (this.#ticksLeft > 0 || this.#raft.role !== 'leader') return;
    this.#ticksLeft = this.#pauseTicks;
    this.#handOver();
  }

  #handOver(): void {
    const { id: self, transferee, progress } = this.#raft.status();
    if (transferee !== noMember) return;
    let next: { readonly id: number; readonly match: number } | undefined;
    for (const { id, match, learner, recentActive } of progress) {
      if (id === self || learner || !recentActive) continue;
      if (next === undefined || match > next.match) next = { id, match };
    }
    if (next !== undefined) this.#raft.transferLeader(next.id);
  }
}
