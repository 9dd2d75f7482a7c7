/**
 * The next configuration while it is being made: single changes go in, one by one, and a step comes
 * out. Which changes may be made together is decided in `membership.ts`.
 */
import { assert } from '../base/assert.js';
import type { ConfChangeSingle } from './conf-change.js';
import {
  brokenRule,
  type Configuration,
  canonical,
  configurationInvalid,
  describeConfiguration,
} from './configuration.js';
import type { MemberId } from './types.js';

/**
 * Where a change leads, and what becomes of the leader's progress: first forget `removed`, then
 * start anew for `added`. Progress of everyone else stays, whatever their capacity is now; who is
 * a learner is said by `configuration.learners`. Progress exists for exactly `memberIds` of the
 * configuration.
 *
 * @since 0.1.0
 */
export interface MembershipStep {
  readonly configuration: Configuration;
  /** Ascending. An id in `removed` as well was removed and added again within the change. */
  readonly added: readonly MemberId[];
  /** Ascending. */
  readonly removed: readonly MemberId[];
}

/** Also keeps account of whose progress comes and goes. @since 0.1.0 */
export class MembershipDraft {
  readonly voters: Set<MemberId>;
  readonly votersOutgoing: Set<MemberId>;
  readonly #learners: Set<MemberId>;
  readonly #learnersNext: Set<MemberId>;
  readonly #added = new Set<MemberId>();
  readonly #removed = new Set<MemberId>();

  constructor(base: Configuration) {
    this.voters = new Set(base.voters);
    this.votersOutgoing = new Set(base.votersOutgoing);
    this.#learners = new Set(base.learners);
    this.#learnersNext = new Set(base.learnersNext);
  }

  /** @throws {KontikiError} CONFIGURATION_INVALID, reason `voters-removed` or `unknown-change` */
  applyAll(changes: readonly ConfChangeSingle[]): void {
    for (const { type, memberId } of changes) this.#apply(type, memberId);
    if (this.voters.size === 0) {
      throw configurationInvalid('voters-removed', 'at least one voter to remain', 'none');
    }
  }

  #apply(type: ConfChangeSingle['type'], id: MemberId): void {
    if (id === 0) return;
    if (!Number.isSafeInteger(id) || id < 0) {
      throw configurationInvalid('unknown-change', 'a member id from 1 to 2^53-1', String(id));
    }
    switch (type) {
      case 'add-voter':
        return this.#addVoter(id);
      case 'add-learner':
        return this.#addLearner(id);
      case 'remove':
        return this.#remove(id);
      case 'update':
        return;
      default:
        // Decoded from an entry, perhaps of a newer version: refused alike by all, fatal to none.
        throw configurationInvalid('unknown-change', 'a known type of change', String(type));
    }
  }

  #addVoter(id: MemberId): void {
    if (!this.#isMember(id)) this.#added.add(id);
    this.#learners.delete(id);
    this.#learnersNext.delete(id);
    this.voters.add(id);
  }

  #addLearner(id: MemberId): void {
    if (!this.#isMember(id)) this.#added.add(id);
    this.voters.delete(id);
    // It may not be voter and learner at once; the outgoing half needs its vote a little longer.
    if (this.votersOutgoing.has(id)) this.#learnersNext.add(id);
    else this.#learners.add(id);
  }

  #remove(id: MemberId): void {
    if (!this.#isMember(id)) return;
    this.voters.delete(id);
    this.#learners.delete(id);
    this.#learnersNext.delete(id);
    this.#forgetUnlessMember(id);
  }

  /** Ends the joint state: the outgoing voters go, or become the learners they were to be. */
  dropOutgoing(): void {
    const outgoing = [...this.votersOutgoing];
    this.votersOutgoing.clear();
    for (const id of this.#learnersNext) this.#learners.add(id);
    this.#learnersNext.clear();
    for (const id of outgoing) this.#forgetUnlessMember(id);
  }

  #isMember(id: MemberId): boolean {
    return this.voters.has(id) || this.votersOutgoing.has(id) || this.#learners.has(id);
  }

  #forgetUnlessMember(id: MemberId): void {
    if (this.#isMember(id)) return;
    if (!this.#added.delete(id)) this.#removed.add(id);
  }

  /** The result. Its rules are ours to keep, so a broken one is our bug. */
  finish(autoLeave: boolean): MembershipStep {
    const { voters, votersOutgoing } = this;
    const learners = this.#learners;
    const learnersNext = this.#learnersNext;
    const next = canonical({ voters, votersOutgoing, learners, learnersNext, autoLeave });
    const broken = brokenRule(next);
    assert(broken === undefined, `membership: ${broken} in ${describeConfiguration(next)}`);
    const ascending = (ids: Set<MemberId>): MemberId[] => [...ids].sort((a, b) => a - b);
    return {
      configuration: next,
      added: ascending(this.#added),
      removed: ascending(this.#removed),
    };
  }
}
