/**
 * What is known of a group as a whole, gathered from every member's steps: the one committed log,
 * who led which term and what it sent, who voted for whom, who belonged to the group when. The first
 * report of a fact stands; the invariants compare all later ones with it.
 */
import { IndexedList } from './indexed-list.js';
import type { MessageView } from './message-view.js';
import type { ConfigurationView, NodeView } from './node-view.js';
import { isSameConfiguration } from './quorum-view.js';
import type { RaftStep, RaftStepOf } from './raft-step.js';

/**
 * An entry that somebody knew to be committed.
 *
 * @since 0.1.0
 */
export interface CommittedEntry {
  readonly term: number;
  readonly hash: number;
  /** The term of the first member that knew. */
  readonly knownIn: number;
  /** Hash of the state machine behind it; `undefined` until somebody applied it. */
  state: number | undefined;
}

/**
 * Where a group begins, if not with an empty log.
 *
 * @since 0.1.0
 */
export interface GroupStart {
  /** Last entry before the first of the log; default 0. */
  readonly index?: number;
  /** Its term; default 0. */
  readonly term?: number;
  /** Hash of the state machine at `index`; default 0. */
  readonly state?: number;
  /** At `index`; absent: not compared until somebody reports a change. */
  readonly configuration?: ConfigurationView;
  /**
   * So many entries after `index` each add a founder, who counts from the start (semantics §18); the
   * configuration is not compared before the last of them. Default 0.
   */
  readonly founderEntries?: number;
}

/**
 * A member as it was after its last `state` step.
 *
 * @since 0.1.0
 */
export type MemberState = Pick<
  NodeView,
  | 'role'
  | 'term'
  | 'vote'
  | 'commit'
  | 'applied'
  | 'firstIndex'
  | 'lastIndex'
  | 'snapshotIndex'
  | 'installing'
  | 'configuration'
  | 'configurationIndex'
>;

/**
 * Gathered facts. Read by invariants, written by `RaftChecker` alone.
 *
 * @since 0.1.0
 */
export class RaftFacts {
  readonly start: Required<Omit<GroupStart, 'configuration'>>;
  readonly committed: IndexedList<CommittedEntry>;
  /** Configurations by the index from which they were in force, ascending. */
  readonly configurations: { readonly index: number; readonly configuration: ConfigurationView }[] =
    [];
  /** Last index that some state machine has: up to here a client may have been told. */
  appliedMax: number;
  /** During a `state` step: what its member was before; `undefined` at the first after a start. */
  before: MemberState | undefined;
  /** During a `state` step: the message that led to it; `undefined` for any other input. */
  handling: MessageView | undefined;
  readonly #byId = new Map<number, NodeView>();
  readonly #leaders = new Map<number, number>();
  /** What each term's leader sent as its log: terms by index. */
  readonly #sent = new Map<number, Map<number, number>>();
  readonly #votes = new Map<number, Map<number, number>>();

  /**
   * @param members - everyone who may ever be a member, but for those that are added later
   * @param start - see {@link GroupStart}
   */
  constructor(members: readonly NodeView[], start: GroupStart = {}) {
    const { index = 0, term = 0, state = 0, founderEntries = 0, configuration } = start;
    this.start = { index, term, state, founderEntries };
    this.committed = new IndexedList(index + 1);
    this.appliedMax = index;
    if (configuration !== undefined) this.configurations.push({ index, configuration });
    for (const member of members) this.addMember(member);
  }

  /** Somebody who may be a member from now on. */
  addMember(member: NodeView): void {
    this.#byId.set(member.id, member);
  }

  member(id: number): NodeView | undefined {
    return this.#byId.get(id);
  }

  /** Who first led a term. */
  leader(term: number): number | undefined {
    return this.#leaders.get(term);
  }

  /** For whom a member first voted in a term. */
  vote(voter: number, term: number): number | undefined {
    return this.#votes.get(voter)?.get(term);
  }

  /** Term of an entry in the log of a term's leader, as far as it was ever sent. */
  sentTerm(leaderTerm: number, index: number): number | undefined {
    return this.#sent.get(leaderTerm)?.get(index);
  }

  /** Term of a committed index; of the start, too. */
  committedTerm(index: number): number | undefined {
    return index === this.start.index ? this.start.term : this.committed.at(index)?.term;
  }

  /** Hash of the state machine at a committed index; `undefined` when nobody applied it. */
  stateAt(index: number): number | undefined {
    return index === this.start.index ? this.start.state : this.committed.at(index)?.state;
  }

  /** The configuration in force at an index; `undefined` when it is not known. */
  configurationAt(index: number): ConfigurationView | undefined {
    const last = Math.max(this.appliedMax, this.configurations.at(-1)?.index ?? 0);
    if (index > last || index < this.start.index + this.start.founderEntries) return;
    for (let at = this.configurations.length - 1; at >= 0; at -= 1) {
      const known = this.configurations[at] as RaftFacts['configurations'][number];
      if (known.index <= index) return known.configuration;
    }
    return undefined;
  }

  /** During a `state` step: whether its member leads, and led the same term before. */
  leadsOn({ role, term }: NodeView): boolean {
    return role === 'leader' && this.before?.role === 'leader' && this.before.term === term;
  }

  /** Takes what is new in a step. */
  take(step: RaftStep): void {
    switch (step.kind) {
      case 'state':
      case 'log':
        this.#onState(step.member);
        break;
      case 'sent':
        this.#onSent(step.message);
        break;
      case 'applied':
        this.#onApplied(step);
        break;
      case 'configured':
        this.#onConfigured(step);
        break;
      default:
    }
  }

  #onConfigured({ index, configuration, found }: RaftStepOf<'configured'>): void {
    if (found === true) return;
    const last = this.configurations.at(-1);
    if (last === undefined || index > last.index)
      this.configurations.push({ index, configuration });
  }

  #onState(member: NodeView): void {
    const { role, term, id, commit } = member;
    if (role === 'leader' && !this.#leaders.has(term)) this.#leaders.set(term, id);
    for (let index = this.committed.last + 1; index <= commit; index += 1) {
      const entryTerm = member.termAt(index);
      // Behind a snapshot of what nobody is known to have committed: rule R6 speaks of it.
      if (entryTerm === undefined || index < member.firstIndex) return;
      const hash = member.hashAt(index);
      this.committed.push({ term: entryTerm, hash, knownIn: term, state: undefined });
    }
  }

  #onSent(message: MessageView): void {
    const { kind, from, to, term } = message;
    // A candidate has its own vote.
    if (kind === 'vote-request') this.#recordVote(from, term, from);
    else if (kind === 'vote-response' && message.granted) this.#recordVote(from, term, to);
    else if (kind === 'append-request') {
      let log = this.#sent.get(term);
      if (log === undefined) {
        log = new Map();
        this.#sent.set(term, log);
      }
      const { previous, entries } = message;
      if (!log.has(previous.index)) log.set(previous.index, previous.term);
      for (const entry of entries) if (!log.has(entry.index)) log.set(entry.index, entry.term);
    }
  }

  #recordVote(voter: number, term: number, candidate: number): void {
    let votes = this.#votes.get(voter);
    if (votes === undefined) {
      votes = new Map();
      this.#votes.set(voter, votes);
    }
    if (!votes.has(term)) votes.set(term, candidate);
  }

  #onApplied({ index, state, configuration }: RaftStepOf<'applied'>): void {
    const entry = this.committed.at(index);
    if (entry !== undefined) entry.state ??= state;
    if (index <= this.appliedMax) return;
    this.appliedMax = index;
    if (configuration === undefined) return;
    const last = this.configurations[this.configurations.length - 1];
    if (last !== undefined && isSameConfiguration(last.configuration, configuration)) return;
    this.configurations.push({ index, configuration });
  }
}
