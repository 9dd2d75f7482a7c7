/** R8: the pointers into the log keep their order. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'state'>;

/**
 * Only what is in a snapshot is purged, only what is committed is applied, only what is in the log is
 * committed. A snapshot that is being installed may be ahead of everything but the commit index.
 *
 * @since 0.1.0
 */
export class LogOrder implements Invariant<Step> {
  readonly id = 'R8';
  readonly title = 'purged <= snapshot <= applied <= commit <= last';
  readonly source = 'Raft §7; openraft: the ordered chain of its state';
  readonly kinds = ['state'] as const;

  check({ atUs, member }: Step): void {
    const { snapshotIndex, applied, commit, lastIndex, installing } = member;
    const purged = member.firstIndex - 1;
    const inOrder =
      purged <= Math.max(snapshotIndex, installing) &&
      snapshotIndex <= applied &&
      applied <= commit &&
      installing <= commit &&
      commit <= lastIndex;
    if (inOrder) return;
    const chain = `purged ${purged}, snapshot ${snapshotIndex}, applied ${applied}`;
    const rest = `commit ${commit}, last ${lastIndex}, installing ${installing}`;
    throw new InvariantViolation(this.id, atUs, `pointers of ${member.id}: ${chain}, ${rest}`);
  }
}
