/** Every rule of Raft that a `NodeView` can show, in the order of the table. */
import { CalmGroup } from './calm-group.js';
import { CommitOwnTerm } from './commit-own-term.js';
import { CommittedLog } from './committed-log.js';
import { ConvergedGroup } from './converged-group.js';
import { DamagedCandidate } from './damaged-candidate.js';
import { DurablePromises } from './durable-promises.js';
import { DurableQuorum } from './durable-quorum.js';
import { FreshIds } from './fresh-ids.js';
import type { Invariant } from './invariant.js';
import { KeptLog } from './kept-log.js';
import { KeptPledges } from './kept-pledges.js';
import { LeaderAfterHeal } from './leader-after-heal.js';
import { LeaderAppendOnly } from './leader-append-only.js';
import { LeaderCompleteness } from './leader-completeness.js';
import { LeaderPerTerm } from './leader-per-term.js';
import { LearnerRestraint } from './learner-restraint.js';
import { LogMatching } from './log-matching.js';
import { LogOrder } from './log-order.js';
import { MonotonicState } from './monotonic-state.js';
import { OneChange } from './one-change.js';
import { PreVoteTerm } from './pre-vote-term.js';
import { QuorumOverlap } from './quorum-overlap.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStep } from './raft-step.js';
import { ReadFreshness } from './read-freshness.js';
import { SameConfiguration } from './same-configuration.js';
import { SameMembers } from './same-members.js';
import { SoundAppends } from './sound-appends.js';
import { StateMachineSafety } from './state-machine-safety.js';
import { VoteOnce } from './vote-once.js';

/**
 * Makes a rule for one run, over the facts of that run.
 *
 * @since 0.1.0
 */
export type RaftInvariantMaker = (facts: RaftFacts) => Invariant<RaftStep>;

/**
 * R1 to R20 without R16 (windows are inside a core), S1, C4 and C5.
 *
 * @since 0.1.0
 */
export const raftInvariants: readonly RaftInvariantMaker[] = [
  // First: the others read the log between the pointers whose order it checks.
  () => new LogOrder(),
  // Before whoever walks a log that is not there any more.
  () => new KeptLog(),
  (facts) => new LeaderPerTerm(facts),
  () => new LogMatching(),
  (facts) => new LeaderCompleteness(facts),
  (facts) => new StateMachineSafety(facts),
  (facts) => new DurableQuorum(facts),
  (facts) => new CommittedLog(facts),
  (facts) => new MonotonicState(facts),
  (facts) => new VoteOnce(facts),
  (facts) => new DurablePromises(facts),
  (facts) => new CommitOwnTerm(facts),
  (facts) => new PreVoteTerm(facts),
  (facts) => new LearnerRestraint(facts),
  () => new OneChange(),
  (facts) => new ReadFreshness(facts),
  (facts) => new LeaderAppendOnly(facts),
  () => new DamagedCandidate(),
  () => new SoundAppends(),
  () => new KeptPledges(),
  (facts) => new QuorumOverlap(facts),
  (facts) => new SameConfiguration(facts),
];

/**
 * Those, and C1 and C6: for groups whose members never get an id that another had, and have lists of
 * their members.
 *
 * @since 0.1.0
 */
export const memberInvariants: readonly RaftInvariantMaker[] = [
  ...raftInvariants,
  () => new FreshIds(),
  () => new SameMembers(),
];

/**
 * V1, V3 and V5, for runs that end with a phase without faults.
 *
 * @param bounds - virtual microseconds to the first leader, and how many terms may get one, both
 *   counted from `healed`
 * @since 0.1.0
 */
export function livenessInvariants(bounds: {
  readonly leaderWithinUs: number;
  readonly electionsMax: number;
}): readonly RaftInvariantMaker[] {
  return [
    () => new LeaderAfterHeal(bounds.leaderWithinUs),
    (facts) => new ConvergedGroup(facts),
    () => new CalmGroup(bounds.electionsMax),
  ];
}
