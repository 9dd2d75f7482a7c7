/**
 * What is committed and not applied yet is held in memory, here as on the leader. The leader's own is bounded
 * by what it takes (`limits.uncommittedBytesMax`); a follower whose state machine is slower than the others
 * would acknowledge without end, and hold all of it.
 */
import { limits } from '../base/limits.js';
import type { RawNode } from '../raft/raw-node.js';
import type { LogStore } from '../storage/log-store.js';

/** @since 0.1.0 */
export interface ApplyBacklogParts {
  readonly raft: Pick<RawNode, 'status'>;
  readonly log: Pick<LogStore, 'bytesAbove' | 'lastIndex'>;
  readonly appliedIndex: () => number;
}

/** @since 0.1.0 */
export class ApplyBacklog {
  readonly #parts: ApplyBacklogParts;

  constructor(parts: ApplyBacklogParts) {
    this.#parts = parts;
  }

  /**
   * Whether entries of the leader have to wait until more is applied: they are passed over, as if the network
   * had lost them, and come again. Only what is committed counts: what is not is bounded by its leader, and
   * may need this member to be committed at all.
   */
  get isFull(): boolean {
    const { appliedIndex, log, raft } = this.#parts;
    const applied = appliedIndex();
    const bytes = log.bytesAbove(applied);
    if (bytes <= limits.backlogBytesMax && log.lastIndex() - applied <= limits.backlogEntriesMax) {
      return false;
    }
    const { commit } = raft.status();
    if (commit - applied > limits.backlogEntriesMax) return true;
    return bytes - log.bytesAbove(commit) > limits.backlogBytesMax;
  }
}
