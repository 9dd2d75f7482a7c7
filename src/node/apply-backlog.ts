/**
 * What is committed and not applied yet is held in memory, here as on the leader. The leader's own is bounded
 * by what it takes (`limits.uncommittedBytesMax`); a follower whose state machine is slower than the others
 * would acknowledge without end, and hold all of it.
 */
import type { RawNode } from '../raft/raw-node.js';
import type { LogStore } from '../storage/log-store.js';
import { nodeLimits } from './node-limits.js';

/** @since 0.1.0 */
export interface ApplyBacklogParts {
  readonly raft: Pick<RawNode, 'status'>;
  readonly log: Pick<LogStore, 'bytesAbove' | 'lastIndex'>;
  readonly appliedIndex: () => number;
}

/** @since 0.1.0 */
export class ApplyBacklog {
  readonly #parts: ApplyBacklogParts;
  #isFull = false;

  constructor(parts: ApplyBacklogParts) {
    this.#parts = parts;
  }

  /**
   * Whether entries of the leader have to wait until more is applied: they are passed over, as if the network
   * had lost them, and come again. Only what is committed counts: what is not is bounded by its leader, and
   * may need this member to be committed at all.
   *
   * Once it is full it stays so until half of it is applied: the first message that is let in has the leader
   * send all that may be on its way, and most of that would be lost again, and again. Not where the others
   * commit nothing without this member: they would stand still meanwhile.
   *
   * @param leaderCommit - what the leader says is committed
   */
  isFull(leaderCommit: number): boolean {
    const isSpare = leaderCommit > this.#parts.log.lastIndex();
    this.#isFull = this.#isAbove(this.#isFull && isSpare ? 0.5 : 1);
    return this.#isFull;
  }

  #isAbove(part: number): boolean {
    const { appliedIndex, log, raft } = this.#parts;
    const [bytesMax, entriesMax] = [
      part * nodeLimits.backlogBytesMax,
      part * nodeLimits.backlogEntriesMax,
    ];
    const applied = appliedIndex();
    const bytes = log.bytesAbove(applied);
    if (bytes <= bytesMax && log.lastIndex() - applied <= entriesMax) return false;
    const { commit } = raft.status();
    return commit - applied > entriesMax || bytes - log.bytesAbove(commit) > bytesMax;
  }
}
