/**
 * A member that stands still is no good leader, and does not know what happened meanwhile (DESIGN §4.20,
 * ADR 0021). Three things may stall:
 *
 *     loop    no turn for longer than an election timeout: others may have elected
 *     log     a write that does not end: nothing of this member counts any more
 *     state   a batch that is not applied: nobody who waits here is answered
 *
 * A leader hands over to the most caught-up follower. If nobody has taken over soon, it steps down when
 * it was away, or when its log stalls and another's does not; on a slow state alone it goes on. Reads
 * need none of this: a lease ends by the clock, and everything else asks a quorum.
 *
 * Who is slow does not campaign, nor takes over: while its log stalls its own vote could not count.
 * So leadership does not come back to a stalled disk, and a large entry, which all members are
 * slow with, passes it around among nobody.
 */
import type { Clock } from '../base/clock.js';
import { limits } from '../base/limits.js';
import type { RawNode } from '../raft/raw-node.js';
import { noMember } from '../raft/types.js';
import { giveUpLeadership } from './give-up-leadership.js';
import { type Work, WorkWatch } from './work-watch.js';

/** A member stood still. @since 0.1.0 */
export interface StallFact {
  /** What did: its event loop, its log, or its state machine. */
  readonly part: 'loop' | 'log' | 'state';
  /** For how long so far, in milliseconds; of `log` and `state` to a tick. */
  readonly ms: number;
  /** It goes on. */
  readonly isOver: boolean;
}

/** @since 0.1.0 */
export interface StallsParts {
  readonly raft: RawNode;
  readonly clock: Clock;
  readonly tickMs: number;
  readonly electionTicks: number;
  /** Writes of the log. */
  readonly log: Work;
  /** Batches of the state machine. */
  readonly state: Work;
  readonly onStall: (stall: StallFact) => void;
}

/** Of an election timeout: what the next leader has for taking over. */
const takeoverShare = 0.5;

/** @since 0.1.0 */
export class Stalls {
  readonly #parts: StallsParts;
  readonly #log: WorkWatch;
  readonly #state: WorkWatch;
  /** Those that were told of and are not over, and for how many ticks. */
  readonly #stalled = new Map<'log' | 'state', number>();
  #lastMs: number;
  /** Term in which this member was away as the leader: it is to end; 0 for none. */
  #awayTerm = 0;
  /** Ticks until a handover counts as failed; 0 for none. */
  #handoverTicks = 0;
  /** Ticks until another is tried, each of which may hold up proposals. */
  #pauseTicks = 0;

  constructor(parts: StallsParts) {
    this.#parts = parts;
    this.#log = new WorkWatch(parts.log);
    this.#state = new WorkWatch(parts.state);
    this.#lastMs = parts.clock.monotonicMs();
  }

  /** Called with each tick, inside a turn, before the core's. */
  tick(): void {
    const { electionTicks, raft } = this.#parts;
    this.#lookAtLoop();
    this.#lookAt('log', this.#log);
    this.#lookAt('state', this.#state);
    // Before a leader is called stalled: whoever takes over is further from it than that one.
    raft.mayCampaign = Math.max(this.#log.ticks, this.#state.ticks) < electionTicks;
    if (this.#pauseTicks > 0) this.#pauseTicks -= 1;
    const isUnfit = this.#awayTerm !== 0 || this.#stalled.size > 0;
    if (raft.role === 'leader' && isUnfit) this.#lead();
    else this.#awayTerm = this.#handoverTicks = 0;
  }

  #lookAtLoop(): void {
    const { clock, electionTicks, onStall, raft, tickMs } = this.#parts;
    const nowMs = clock.monotonicMs();
    const ms = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    if (ms <= tickMs * electionTicks) return;
    if (raft.role === 'leader') this.#awayTerm = raft.term;
    onStall({ part: 'loop', ms, isOver: true });
  }

  #lookAt(part: 'log' | 'state', work: WorkWatch): void {
    const { electionTicks, onStall, tickMs } = this.#parts;
    const before = this.#stalled.get(part);
    work.tick();
    if (work.ticks >= electionTicks * limits.stallElectionsMax) {
      this.#stalled.set(part, work.ticks);
      if (before === undefined) onStall({ part, ms: work.ticks * tickMs, isOver: false });
    } else if (before !== undefined) {
      this.#stalled.delete(part);
      onStall({ part, ms: before * tickMs, isOver: true });
    }
  }

  #lead(): void {
    const { raft } = this.#parts;
    const { configuration, durableIndex, id, term } = raft.status();
    const { voters, votersOutgoing } = configuration;
    const isAlone = ![...voters, ...votersOutgoing].some((voter) => voter !== id);
    // Nobody else could have led, or another term was the one to end.
    if (isAlone || this.#awayTerm !== term) this.#awayTerm = 0;
    if (isAlone) return;
    if (this.#awayTerm === term) this.#leave(0, true);
    // Who has durably what this member has not; nobody: all are as slow, or cut off.
    else if (this.#stalled.has('log')) this.#leave(durableIndex + 1, true);
    else if (this.#stalled.has('state')) this.#leave(0, false);
  }

  /** @param isForGood - whether to step down if nobody takes over */
  #leave(matchMin: number, isForGood: boolean): void {
    const { electionTicks, raft } = this.#parts;
    if (this.#handoverTicks > 0) {
      this.#handoverTicks -= 1;
      if (this.#handoverTicks === 0 && isForGood) raft.stepDown();
      return;
    }
    if (this.#pauseTicks > 0 && !isForGood) return;
    giveUpLeadership(raft, ({ match }) => match >= matchMin);
    if (raft.status().transferee !== noMember) {
      this.#handoverTicks = Math.ceil(electionTicks * takeoverShare);
      this.#pauseTicks = electionTicks * limits.stallElectionsMax;
    } else if (matchMin === 0 && isForGood) raft.stepDown();
  }
}
