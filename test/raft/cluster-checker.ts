/**
 * Everything that must hold for a simulated cluster: the public invariants of Raft, and what only our
 * own core can show (semantics §20), fed with every observable event. Throws at the first rule that
 * is broken.
 */
import type { MemberId, RaftStatus, RawNode, Ready } from '../../src/raft/index.js';
import { coreOf } from '../../src/raft/raw-node.js';
import type { BareMember } from '../../src/testing/bare/bare-member.js';
import { Coverage } from '../../src/testing/bare/coverage.js';
import type { MachineState } from '../../src/testing/bare/hash-machine.js';
import { StepCoverage } from '../../src/testing/bare/step-coverage.js';
import { RaftChecker } from '../../src/testing/invariants/raft-checker.js';
import type { RaftStep } from '../../src/testing/invariants/raft-step.js';
import { CoreChecker } from './random/core-checker.js';
import { expectRule } from './random/expect-rule.js';

export class ClusterChecker {
  readonly raft: RaftChecker;
  readonly coverage = new Coverage();
  readonly steps: StepCoverage;
  readonly #members: readonly BareMember[];
  readonly #core = new CoreChecker();

  /**
   * @param base - what the founders start from
   * @param founders - entries that each add one who counted from the start (semantics §18)
   */
  constructor(members: readonly BareMember[], base: MachineState, founders = 0) {
    this.#members = members;
    const { index, term, chain: state, configuration } = base;
    this.raft = new RaftChecker({
      members: members.map(({ view }) => view),
      start: { index, term, state, configuration, founderEntries: founders },
    });
    this.steps = new StepCoverage(this.coverage, this.raft.facts);
  }

  get answeredReads(): number {
    return this.coverage.counts.readsAnswered ?? 0;
  }

  observe(step: RaftStep): void {
    this.steps.observe(step);
    this.raft.observe(step);
    if (step.kind === 'start') this.#core.onRestart(this.#member(step.member.id));
  }

  #member(id: MemberId): BareMember {
    return this.#members.find((each) => each.id === id) as BareMember;
  }

  /** After every input of a member. */
  onInput(member: BareMember): void {
    member.up.check();
    const status = member.up.status();
    if (status.role === 'leader') this.#checkMatches(member, status);
    this.#core.onStep(member, status);
  }

  /** After the write of a `Ready` was accepted, and before any of it is sent. */
  onReady(member: BareMember, ready: Ready): void {
    member.up.check();
    this.#core.onReady(member, ready);
  }

  /** Before the state machine's answer for its oldest page is stepped. */
  onAnswer(member: BareMember): void {
    this.#core.onAnswer(member);
  }

  /** Answers that wait to be taken. */
  waitingReads(node: RawNode): number {
    return coreOf(node).readStates.length;
  }

  /** §20.25: a member's durable log agrees with what its leader believes it has. */
  #checkMatches(leader: BareMember, status: RaftStatus): void {
    for (const { id, match } of status.progress) {
      const peer = this.#members.find((member) => member.id === id);
      if (peer === undefined || id === leader.id || match === 0) continue;
      const { durable } = peer.store;
      if (durable.hardState.term !== status.term || durable.base.index > match) continue;
      const own = leader.store.written.term(match) ?? this.raft.facts.committedTerm(match);
      const theirs = durable.term(match);
      if (own === theirs) continue;
      expectRule(false, '20.25', `leader ${leader.id} matches ${id} at ${match}: ${theirs}`);
    }
  }
}
