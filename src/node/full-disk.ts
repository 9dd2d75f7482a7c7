/**
 * What a member does while its log or its state finds no space on the disk (DESIGN §4.15): it looks for
 * space again, for which the writes that are on their way wait. As the leader without space for its log it
 * hands leadership to a member that may have some: its own term could take no proposal.
 */
import type { RawNode } from '../raft/raw-node.js';
import type { LogStore } from '../storage/log-store.js';
import { giveUpLeadership } from './give-up-leadership.js';
import type { StateMachine } from './state-machine.js';

/** @since 0.1.0 */
export interface FullDiskParts {
  readonly raft: RawNode;
  readonly log: Pick<LogStore, 'hasSpace' | 'reserve' | 'waitForSpace'>;
  readonly machine: Pick<StateMachine, 'hasSpace'>;
  /** Ticks that a handover may take. */
  readonly electionTicks: number;
  /** Told when the space is gone, and when there is some again. */
  readonly onChange: (hasSpace: boolean) => void;
}

/** @since 0.1.0 */
export class FullDisk {
  readonly #parts: FullDiskParts;
  /** Ticks between two attempts: members that are all full must not pass it around all the time. */
  readonly #pauseTicks: number;
  #hadSpace = true;
  #ticksLeft = 0;

  /** @param parts - of this member */
  constructor(parts: FullDiskParts) {
    this.#parts = parts;
    this.#pauseTicks = 2 * parts.electionTicks;
    parts.log.waitForSpace?.(true);
  }

  get hasSpace(): boolean {
    const { log, machine } = this.#parts;
    return log.hasSpace && machine.hasSpace !== false;
  }

  /** Called with each tick, inside a turn. */
  tick(): void {
    if (this.#ticksLeft > 0) this.#ticksLeft -= 1;
    const { hasSpace } = this;
    const { log, onChange, raft } = this.#parts;
    if (hasSpace !== this.#hadSpace) {
      this.#hadSpace = hasSpace;
      onChange(hasSpace);
    }
    if (hasSpace) return;
    // Nothing else would find the space again: without it no proposal is taken.
    void log.reserve();
    // Without space for its state it can lead on for a while, and then it stalls (ADR 0021).
    if (log.hasSpace || this.#ticksLeft > 0 || raft.role !== 'leader') return;
    this.#ticksLeft = this.#pauseTicks;
    giveUpLeadership(raft);
  }
}
