/** C6: members that have applied the same log have the same list of members. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'configured'>;

/**
 * Names and addresses are a function of the index, as ids and votes are by C5: whether a member made the
 * change, found it in its log at a start, or took it from a snapshot.
 *
 * @since 0.1.0
 */
export class SameMembers implements Invariant<Step> {
  readonly id = 'C6';
  readonly title = 'the list of members is a function of the index';
  readonly source = 'ADR 0018; not in the table of the specification';
  readonly kinds = ['configured'] as const;
  /** Lists by the index from which they were in force, ascending. */
  readonly #known: { readonly index: number; readonly list: Uint8Array }[] = [];

  check({ atUs, found, index, list, member }: Step): void {
    if (list === undefined) return;
    const known = this.#known.findLast((each) => each.index <= index);
    if (known !== undefined && isSame(known.list, list)) return;
    const isFirst = found !== true && index > (this.#known.at(-1)?.index ?? -1);
    if (known === undefined || isFirst) this.#known.push({ index, list });
    else {
      const message = `${member.id} has other members at ${index} than were told from ${known.index} on`;
      throw new InvariantViolation(this.id, atUs, message);
    }
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
