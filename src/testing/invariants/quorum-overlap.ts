/** C4: no change of the group makes two groups of it. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { ConfigurationView } from './node-view.js';
import { configurationText, isQuorum } from './quorum-view.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'applied' | 'configured'>;

/**
 * Every quorum of a configuration has a member in common with every quorum of the next one.
 *
 * @since 0.1.0
 */
export class QuorumOverlap implements Invariant<Step> {
  readonly id = 'C4';
  readonly title = 'quorums of adjacent configurations intersect';
  readonly source = 'thesis §4.1, figure 4.2';
  readonly kinds = ['applied', 'configured'] as const;
  readonly #facts: RaftFacts;
  #checked = 0;

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check({ atUs }: Step): void {
    const { configurations } = this.#facts;
    for (; this.#checked < configurations.length; this.#checked += 1) {
      const before = configurations[this.#checked - 1]?.configuration;
      const after = configurations[this.#checked]?.configuration;
      if (before === undefined || after === undefined || isOverlapping(before, after)) continue;
      const change = `${configurationText(before)} -> ${configurationText(after)}`;
      throw new InvariantViolation(this.id, atUs, `both could decide alone: ${change}`);
    }
  }
}

/**
 * Whether every quorum of one intersects every quorum of the other, tried out for every set of
 * voters: a quorum of `before` whose complement is one of `after` breaks it.
 *
 * @since 0.1.0
 */
export function isOverlapping(before: ConfigurationView, after: ConfigurationView): boolean {
  // Nobody decides nothing: the configuration of a group that is not founded yet.
  if (before.voters.length === 0) return true;
  const halves = [before, after].flatMap((each) => [each.voters, each.votersOutgoing]);
  const ids = [...new Set(halves.flat())];
  for (let set = 0; set < 2 ** ids.length; set += 1) {
    const isIn = (id: number): boolean => ((set >> ids.indexOf(id)) & 1) === 1;
    if (isQuorum(before, isIn) && isQuorum(after, (id) => !isIn(id))) return false;
  }
  return true;
}
