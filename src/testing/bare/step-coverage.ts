/** Counts what happened in a run, from its steps: elections, handovers, changes, reads. */

import type { MessageView } from '../invariants/message-view.js';
import type { ConfigurationView, NodeView } from '../invariants/node-view.js';
import type { RaftFacts } from '../invariants/raft-facts.js';
import type { RaftStep } from '../invariants/raft-step.js';
import { transitionMark } from '../marks/transition.js';
import type { Coverage } from './coverage.js';

/** Everything that is counted, so that what never happened shows as 0. */
const names = [
  'changesApplied',
  'committed',
  'crashes',
  'demoted',
  'elections',
  'jointEntered',
  'jointLeft',
  'logTruncated',
  'promoted',
  'readsAnswered',
  'removed',
  'snapshotsInstalled',
  'terms',
  'transfersCompleted',
] as const;

/**
 * An observer beside the invariants, over the same facts.
 *
 * @since 0.1.0
 */
export class StepCoverage {
  readonly #coverage: Coverage;
  readonly #facts: RaftFacts;
  /** Terms for which somebody campaigned in the name of the leader before. */
  readonly #handedOver = new Set<number>();
  #lastLed = 0;
  /** Where each member's log ended. */
  readonly #ends = new Map<NodeView, number>();

  /**
   * @param coverage - where to count
   * @param facts - of the run's checker
   */
  constructor(coverage: Coverage, facts: RaftFacts) {
    this.#coverage = coverage;
    this.#facts = facts;
    for (const name of names) coverage.count(name, 0);
  }

  observe(step: RaftStep): void {
    if (step.kind === 'state') this.#onState(step.member.role, step.member.term);
    else if (step.kind === 'sent') this.#onSent(step.message);
    else if (step.kind === 'received') {
      this.#coverage.count(transitionMark(step.member, step.message));
    } else if (step.kind === 'log') this.#onLog(step.member, step.from);
    else if (step.kind === 'installed') this.#coverage.count('snapshotsInstalled');
    else if (step.kind === 'read-answered') this.#coverage.count('readsAnswered');
    else if (step.kind === 'crash') this.#coverage.count('crashes');
  }

  #onState(role: string, term: number): void {
    if (role !== 'leader' || term <= this.#lastLed) return;
    this.#lastLed = term;
    this.#coverage.count('elections');
    if (this.#handedOver.has(term)) this.#coverage.count('transfersCompleted');
  }

  #onLog(member: NodeView, from: number): void {
    if (from <= (this.#ends.get(member) ?? 0)) this.#coverage.count('logTruncated');
    this.#ends.set(member, member.lastIndex);
  }

  #onSent(message: MessageView): void {
    if (message.kind === 'vote-request' && 'transfer' in message) {
      this.#handedOver.add(message.term);
    }
  }

  /** At the end of the run: what the gathered facts tell. */
  finish(): void {
    const { committed, configurations } = this.#facts;
    this.#coverage.count('committed', committed.last - committed.first + 1);
    this.#coverage.count('terms', this.#lastLed);
    for (let at = 1; at < configurations.length; at += 1) {
      const before = configurations[at - 1]?.configuration;
      const after = configurations[at]?.configuration;
      if (before !== undefined && after !== undefined) this.#onChange(before, after);
    }
  }

  #onChange(before: ConfigurationView, after: ConfigurationView): void {
    const happened = {
      changesApplied: true,
      jointEntered: isJointView(after) && !isJointView(before),
      jointLeft: isJointView(before) && !isJointView(after),
      promoted: before.learners.some((id) => after.voters.includes(id)),
      demoted: after.learners.some((id) => isIn(before, id)),
      removed: [...before.voters, ...before.learners].some(
        (id) => !isIn(after, id) && !after.learners.includes(id),
      ),
    };
    for (const [name, did] of Object.entries(happened)) if (did) this.#coverage.count(name);
  }
}

function isJointView({ votersOutgoing }: ConfigurationView): boolean {
  return votersOutgoing.length > 0;
}

function isIn({ voters, votersOutgoing }: ConfigurationView, id: number): boolean {
  return voters.includes(id) || votersOutgoing.includes(id);
}
