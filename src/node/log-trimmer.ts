/**
 * Lets the log go of what nobody needs any more (DESIGN §4.13), once in a while. Only a member that
 * can make snapshots has one: whoever needs what is gone gets a snapshot instead.
 */
import type { RawNode } from '../raft/raw-node.js';
import type { MemberId } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import { type RetentionLimits, unneededIndex } from './log-retention.js';
import type { StateMachine } from './state-machine.js';

/** @since 0.1.0 */
export interface LogTrimmerParts {
  readonly log: LogStore;
  readonly machine: StateMachine;
  readonly raft: RawNode;
  /** Default: see `unneededIndex`. */
  readonly limits: RetentionLimits | undefined;
  /** The log is to be kept above this index: a snapshot of it is under way. */
  readonly pinnedIndex: () => number;
}

const periodMs = 1_000;
/** A follower that was silent for longer gets a snapshot, if it comes back. */
const activeMs = 60_000;

/** @since 0.1.0 */
export class LogTrimmer {
  readonly #parts: LogTrimmerParts;
  /** When each follower was last known to be active. */
  readonly #activeAtMs = new Map<MemberId, number>();
  #nextAtMs = 0;
  #truncating: Promise<void> | undefined;

  constructor(parts: LogTrimmerParts) {
    this.#parts = parts;
  }

  /** Time passes; `nowMs` is monotonic. */
  tick(nowMs: number): void {
    if (nowMs < this.#nextAtMs || this.#truncating !== undefined) return;
    this.#nextAtMs = nowMs + periodMs;
    const { limits, log, machine, raft } = this.#parts;
    const firstIndex = log.firstIndex();
    // A flush may have made the beginning of a page durable that the core has not heard to be applied.
    const durableIndex = Math.min(machine.durableIndex, raft.status().applied);
    const facts = {
      ...{ firstIndex, lastIndex: log.lastIndex(), durableIndex },
      matches: this.#matches(nowMs),
      bytesAbove: (index: number) => log.bytesAbove(index),
    };
    const index = unneededIndex(facts, limits);
    if (index < firstIndex) return;
    // A log that takes no more says so at the next append; files that stay are tried again.
    this.#truncating = log.truncate(index).catch(() => undefined);
    void this.#truncating.then(() => {
      this.#truncating = undefined;
    });
  }

  /** Resolves once nothing is being removed. */
  async idle(): Promise<void> {
    await this.#truncating;
  }

  #matches(nowMs: number): number[] {
    const { pinnedIndex, raft } = this.#parts;
    const matches: number[] = [];
    const pinned = pinnedIndex();
    if (pinned !== Infinity) matches.push(pinned);
    if (raft.role !== 'leader') return matches;
    for (const { id, match, pendingSnapshot, recentActive } of raft.status().progress) {
      if (recentActive) this.#activeAtMs.set(id, nowMs);
      const activeAt = this.#activeAtMs.get(id) ?? -Infinity;
      // What comes behind the snapshot on its way will be sent from the log.
      if (nowMs - activeAt < activeMs) matches.push(Math.max(match, pendingSnapshot));
    }
    return matches;
  }
}
