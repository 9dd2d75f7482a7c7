/** C5: members that have applied the same log agree on who belongs to the group. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { ConfigurationView } from './node-view.js';
import { configurationText, isSameConfiguration } from './quorum-view.js';
import type { RaftFacts } from './raft-facts.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'state' | 'applied' | 'configured'>;

/**
 * A member goes by the configuration of what it has applied, or of the snapshot it installs; and
 * applying the same change leads everywhere to the same configuration.
 *
 * @since 0.1.0
 */
export class SameConfiguration implements Invariant<Step> {
  readonly id = 'C5';
  readonly title = 'the configuration is a function of the index';
  readonly source = 'semantics §12.1, §20.27; not in the table of the specification';
  readonly kinds = ['state', 'applied', 'configured'] as const;
  readonly #facts: RaftFacts;

  constructor(facts: RaftFacts) {
    this.#facts = facts;
  }

  check(step: Step): void {
    const { member, atUs } = step;
    if (step.kind !== 'state') {
      if (step.configuration !== undefined) {
        this.#compare(atUs, member.id, step.index, step.configuration);
      }
      return;
    }
    const { before } = this.#facts;
    const { configuration, configurationIndex } = member;
    if (
      before === undefined ||
      before.configuration !== configuration ||
      before.configurationIndex !== configurationIndex
    ) {
      this.#compare(atUs, member.id, configurationIndex, configuration);
    }
  }

  #compare(atUs: number, id: number, index: number, configuration: ConfigurationView): void {
    const expected = this.#facts.configurationAt(index);
    if (expected === undefined || isSameConfiguration(expected, configuration)) return;
    const own = configurationText(configuration);
    const message = `${id} has ${own} at ${index}, expected ${configurationText(expected)}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}
