/** Every rule of the keyspace that its users and members can show, in the order of the table. */
import { CreationMarks } from './creation-marks.js';
import { EndedLeases } from './ended-leases.js';
import { EqualHashes } from './equal-hashes.js';
import { ExplicitEnd } from './explicit-end.js';
import { HonestRenewals } from './honest-renewals.js';
import { IntendedExpiry } from './intended-expiry.js';
import type { Invariant } from './invariant.js';
import { OrderedWatch } from './ordered-watch.js';
import { PreviousVersions } from './previous-versions.js';
import { ReliableWatch } from './reliable-watch.js';
import { ResumedWatch } from './resumed-watch.js';
import { RevisionSteps } from './revision-steps.js';
import { RevokedKeys } from './revoked-keys.js';
import { SameHistory } from './same-history.js';
import { SettledCalls } from './settled-calls.js';
import type { StoreFacts } from './store-facts.js';
import type { StoreStep } from './store-step.js';
import { TrueBookmarks } from './true-bookmarks.js';
import { UnhurriedExpiry } from './unhurried-expiry.js';
import { UniqueEvents } from './unique-events.js';
import { UnshortenedLeases } from './unshortened-leases.js';
import { VersionFields } from './version-fields.js';
import { WatchedRange } from './watched-range.js';
import { WholeRevisions } from './whole-revisions.js';

/**
 * Makes a rule for one run, over the facts of that run.
 *
 * @since 0.1.0
 */
export type StoreInvariantMaker = (facts: StoreFacts) => Invariant<StoreStep>;

/**
 * M1, M2, M6, L1, L2, L4 to L7, W1 to W11, X5, for members whose clocks drift.
 *
 * @param bounds.driftPpm - by how much two clocks may differ in speed, in parts per million
 * @since 0.1.0
 */
export function storeInvariantsFor({
  driftPpm,
}: {
  readonly driftPpm: number;
}): readonly StoreInvariantMaker[] {
  return [
    (facts) => new RevisionSteps(facts),
    (facts) => new VersionFields(facts),
    () => new EqualHashes(),
    (facts) => new RevokedKeys(facts),
    (facts) => new UnhurriedExpiry(facts, driftPpm),
    (facts) => new EndedLeases(facts),
    (facts) => new HonestRenewals(facts),
    () => new UnshortenedLeases(driftPpm),
    () => new IntendedExpiry(),
    (facts) => new OrderedWatch(facts),
    (facts) => new UniqueEvents(facts),
    (facts) => new WholeRevisions(facts),
    (facts) => new ReliableWatch(facts),
    (facts) => new ResumedWatch(facts),
    (facts) => new TrueBookmarks(facts),
    (facts) => new WatchedRange(facts),
    (facts) => new PreviousVersions(facts),
    (facts) => new CreationMarks(facts),
    (facts) => new ExplicitEnd(facts),
    (facts) => new SameHistory(facts),
    () => new SettledCalls(),
  ];
}

/**
 * All of them, for clocks that do not drift.
 *
 * @since 0.1.0
 */
export const storeInvariants: readonly StoreInvariantMaker[] = storeInvariantsFor({ driftPpm: 0 });
