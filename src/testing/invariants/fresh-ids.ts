/** C1: an id that was removed is nobody's any more. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { ConfigurationView } from './node-view.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'configured'>;

/**
 * Once a member has left the group its id never comes back: a disk that has forgotten, or a new one,
 * would be taken for what the old one acknowledged.
 *
 * @since 0.1.0
 */
export class FreshIds implements Invariant<Step> {
  readonly id = 'C1';
  readonly title = 'member ids are never used again';
  readonly source = 'DESIGN §4.17; Raft gives identity no thought, etcd hashes the time in';
  readonly kinds = ['configured'] as const;
  readonly #gone = new Set<number>();
  #members: readonly number[] = [];
  #index = -1;

  check({ atUs, index, configuration }: Step): void {
    // Told before, by another member.
    if (index <= this.#index) return;
    this.#index = index;
    const members = idsOf(configuration);
    for (const id of this.#members) if (!members.includes(id)) this.#gone.add(id);
    this.#members = members;
    const again = members.find((id) => this.#gone.has(id));
    if (again === undefined) return;
    throw new InvariantViolation(this.id, atUs, `${again}, which was removed, is back at ${index}`);
  }
}

function idsOf({ voters, votersOutgoing, learners }: ConfigurationView): readonly number[] {
  return [...new Set([...voters, ...votersOutgoing, ...learners])];
}
