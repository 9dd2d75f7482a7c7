/** R14: one change of the configuration at a time. */
import type { Invariant } from './invariant.js';
import { InvariantViolation } from './invariant-violation.js';
import type { NodeView } from './node-view.js';
import type { RaftStepOf } from './raft-step.js';

type Step = RaftStepOf<'start' | 'snapshot' | 'log'>;

/**
 * In a leader's log at most one change of its own term is not applied yet. That a joint configuration
 * is left again is V3.
 *
 * @since 0.1.0
 */
export class OneChange implements Invariant<Step> {
  readonly id = 'R14';
  readonly title = 'at most one change of the configuration is on its way';
  readonly source = 'thesis §4.1; Raft §6';
  readonly kinds = ['start', 'snapshot', 'log'] as const;
  /** Indexes of changes in each member's log that were not applied when last looked at. */
  readonly #changes = new Map<number, number[]>();

  check(step: Step): void {
    const { member } = step;
    if (step.kind === 'snapshot') this.#changes.set(member.id, []);
    else if (step.kind === 'start') {
      this.#changes.set(member.id, changesFrom(member, member.applied + 1));
    } else this.#onLog(step);
  }

  #onLog({ member, from, atUs }: RaftStepOf<'log'>): void {
    const { id, role, term, applied } = member;
    const before = this.#changes.get(id) ?? [];
    const fresh = changesFrom(member, Math.max(from, applied + 1));
    if (before.length === 0 && fresh.length === 0) return;
    const open = before.filter((index) => index < from && index > applied).concat(fresh);
    this.#changes.set(id, open);
    if (role !== 'leader') return;
    const own = open.filter((index) => member.termAt(index) === term);
    if (own.length <= 1) return;
    const message = `leader ${id} has changes at ${own.join(' and ')}, applied is ${applied}`;
    throw new InvariantViolation(this.id, atUs, message);
  }
}

function changesFrom(member: NodeView, from: number): number[] {
  const changes: number[] = [];
  const { lastIndex } = member;
  for (let index = Math.max(from, member.firstIndex); index <= lastIndex; index += 1) {
    if (member.isChangeAt(index)) changes.push(index);
  }
  return changes;
}
