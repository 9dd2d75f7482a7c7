/**
 * Holds a group to the invariants of Raft: takes every step, gathers the facts, and asks the rules
 * that want to know of it. Usable on any implementation through `NodeView`:
 *
 * ```ts
 * const checker = new RaftChecker({ members: [viewOf(a), viewOf(b), viewOf(c)] });
 * checker.observe({ kind: 'start', atUs: 0, member: viewOf(a) });
 * // after every input of a:
 * checker.observe({ kind: 'state', atUs: now, member: viewOf(a) });
 * ```
 */
import type { Invariant } from './invariant.js';
import type { NodeView } from './node-view.js';
import { type GroupStart, type MemberState, RaftFacts } from './raft-facts.js';
import { type RaftInvariantMaker, raftInvariants } from './raft-invariants.js';
import type { RaftStep } from './raft-step.js';

/**
 * @since 0.1.0
 */
export interface RaftCheckerOptions {
  /** Everyone who may ever be a member; the very objects that steps carry. */
  readonly members: readonly NodeView[];
  /** Where the group begins; default: an empty log. */
  readonly start?: GroupStart | undefined;
  /** Which rules; default {@link raftInvariants}, all of them. */
  readonly invariants?: readonly RaftInvariantMaker[] | undefined;
}

/**
 * The rules of Raft over one run.
 *
 * @since 0.1.0
 */
export class RaftChecker {
  readonly facts: RaftFacts;
  readonly #rules = new Map<RaftStep['kind'], Invariant<RaftStep>[]>();
  readonly #states = new Map<number, MemberState>();

  /**
   * @param options - see {@link RaftCheckerOptions}
   */
  constructor({ members, start, invariants = raftInvariants }: RaftCheckerOptions) {
    this.facts = new RaftFacts(members, start);
    for (const make of invariants) {
      const rule = make(this.facts);
      for (const kind of rule.kinds) {
        const rules = this.#rules.get(kind);
        if (rules === undefined) this.#rules.set(kind, [rule]);
        else rules.push(rule);
      }
    }
  }

  /**
   * Takes what just happened.
   *
   * @param step - in the order of the run
   * @throws {InvariantViolation} at the first rule that is broken; the run is worth no more then
   */
  observe(step: RaftStep): void {
    if (step.kind === 'state') {
      this.#onState(step);
      this.facts.handling = undefined;
    } else {
      if (step.kind === 'received') this.facts.handling = step.message;
      if (step.kind === 'start') this.#states.delete(step.member.id);
      this.facts.take(step);
      this.#ask(step);
    }
  }

  /** Most inputs change nothing that a rule looks at: then none is asked. */
  #onState(step: RaftStep & { readonly kind: 'state' }): void {
    const { member } = step;
    const before = this.#states.get(member.id);
    if (before !== undefined && isUnchanged(before, member)) return;
    this.facts.take(step);
    this.facts.before = before;
    this.#ask(step);
    this.#states.set(member.id, stateOf(member));
  }

  #ask(step: RaftStep): void {
    const rules = this.#rules.get(step.kind);
    if (rules === undefined) return;
    for (const rule of rules) rule.check(step);
  }
}

function isUnchanged(before: MemberState, now: NodeView): boolean {
  return (
    before.commit === now.commit &&
    before.applied === now.applied &&
    before.lastIndex === now.lastIndex &&
    before.role === now.role &&
    before.term === now.term &&
    before.vote === now.vote &&
    before.firstIndex === now.firstIndex &&
    before.snapshotIndex === now.snapshotIndex &&
    before.installing === now.installing &&
    before.configuration === now.configuration &&
    before.configurationIndex === now.configurationIndex
  );
}

function stateOf(member: NodeView): MemberState {
  return {
    role: member.role,
    term: member.term,
    vote: member.vote,
    commit: member.commit,
    applied: member.applied,
    firstIndex: member.firstIndex,
    lastIndex: member.lastIndex,
    snapshotIndex: member.snapshotIndex,
    installing: member.installing,
    configuration: member.configuration,
    configurationIndex: member.configurationIndex,
  };
}
