/** V3: in the end everybody who belongs to the group has the same. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'healed' | 'end'>;

/**
 * At `end`, if the faults were over before, every member of the newest configuration has applied
 * everything that anybody has, and no joint configuration is left behind that leaves by itself. That
 * equal indexes mean equal states and configurations is R4 and C5.
 *
 * @since 0.1.0
 */
export class ConvergedGroup implements Invariant<Step> {
  readonly id = 'V3';
  readonly title = 'all members reach the same applied index';
  readonly source = 'TigerBeetle: convergence; openraft: heal, converge, serve';
  readonly kinds = ['healed', 'end'] as const;
  readonly #facts: RaftFacts;
  #isHealed = false;

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check({ kind, atUs }: Step): void {
    if (kind === 'healed') this.#isHealed = true;
    else if (this.#isHealed) {
      const behind = whoIsBehind(this.#facts);
      if (behind !== undefined) throw new InvariantViolation(this.id, atUs, behind);
    }
  }
}

/**
 * What keeps a group from being converged, in words; `undefined` when nothing does.
 *
 * @param facts - of the run; all members are up
 * @since 0.1.0
 */
export function whoIsBehind(facts: RaftFacts): string | undefined {
  const newest = facts.configurations[facts.configurations.length - 1]?.configuration;
  if (newest === undefined) return undefined;
  if (newest.autoLeave) return 'the group is still in a joint configuration';
  const ids = [...newest.voters, ...newest.votersOutgoing, ...newest.learners];
  const behind = ids.filter((id) => facts.member(id)?.applied !== facts.appliedMax);
  if (behind.length === 0) return undefined;
  const applied = behind.map((id) => `${id} has ${facts.member(id)?.applied}`);
  return `expected everybody to apply ${facts.appliedMax}: ${applied.join(', ')}`;
}
