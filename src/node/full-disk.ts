/**
 * What a member does while its log finds no space on the disk (DESIGN §4.15): it looks for space again,
 * and as the leader it hands leadership to a member that may have some. Its own term could take no
 * proposal.
 */
import type { RawNode } from '../raft/raw-node.js';
import type { LogStore } from '../storage/log-store.js';
import { giveUpLeadership } from './give-up-leadership.js';

/** @since 0.1.0 */
export class FullDisk {
  readonly #raft: RawNode;
  readonly #log: Pick<LogStore, 'hasSpace' | 'reserve'>;
  /** Ticks between two attempts: members that are all full must not pass it around all the time. */
  readonly #pauseTicks: number;
  readonly #onChange: (hasSpace: boolean) => void;
  #hadSpace = true;
  #ticksLeft = 0;

  /**
   * @param raft - of this member
   * @param log - of this member
   * @param electionTicks - ticks that a handover may take
   * @param onChange - told when the space is gone, and when there is some again
   */
  constructor(
    raft: RawNode,
    log: Pick<LogStore, 'hasSpace' | 'reserve'>,
    electionTicks: number,
    onChange: (hasSpace: boolean) => void = () => undefined,
  ) {
    this.#raft = raft;
    this.#log = log;
    this.#pauseTicks = 2 * electionTicks;
    this.#onChange = onChange;
  }

  /** Called with each tick, inside a turn. */
  tick(): void {
    if (this.#ticksLeft > 0) this.#ticksLeft -= 1;
    const { hasSpace } = this.#log;
    if (hasSpace !== this.#hadSpace) {
      this.#hadSpace = hasSpace;
      this.#onChange(hasSpace);
    }
    if (hasSpace) return;
    // Nothing else would find the space again: without it no proposal is taken.
    void this.#log.reserve();
    if (this.#ticksLeft > 0 || this.#raft.role !== 'leader') return;
    this.#ticksLeft = this.#pauseTicks;
    giveUpLeadership(this.#raft);
  }
}
