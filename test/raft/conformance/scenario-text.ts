/**
 * How a scenario file shows states, entries, snapshots and progress (conformance §5). The product
 * prints none of it.
 */
import {
  type ConfState,
  decodeConfChange,
  type Entry,
  type HardState,
  isVoter,
  type LogId,
  type ProgressState,
  type ProgressStatus,
  type Proposal,
  type RaftStatus,
  type ReadState,
  type Role,
  type Snapshot,
  type SoftState,
  toConfChangeV2,
} from '../../../src/raft/index.js';
import { changeText } from '../membership-text.js';
import { goQuote } from './go-quote.js';
import type { Relabelling } from './relabelling.js';

const roleText: Readonly<Record<Role, string>> = {
  follower: 'StateFollower',
  candidate: 'StateCandidate',
  leader: 'StateLeader',
  'pre-candidate': 'StatePreCandidate',
};

const progressText: Readonly<Record<ProgressState, string>> = {
  probe: 'StateProbe',
  replicate: 'StateReplicate',
  snapshot: 'StateSnapshot',
};

const entryText: Readonly<Record<Entry['type'], string>> = {
  normal: 'EntryNormal',
  'config-change': 'EntryConfChange',
  'config-change-v2': 'EntryConfChangeV2',
};

export class ScenarioText {
  readonly #names: Relabelling;
  readonly #contextOf: (readId: number) => Uint8Array;

  /** @param contextOf - what the file calls a read */
  constructor(names: Relabelling, contextOf: (readId: number) => Uint8Array) {
    this.#names = names;
    this.#contextOf = contextOf;
  }

  softState({ leader, role }: SoftState): string {
    return `Lead:${this.#names.label(leader)} State:${roleText[role]}`;
  }

  hardState({ term, vote, commit }: HardState): string {
    const names = this.#names;
    const voted = vote === 0 ? '' : ` Vote:${names.label(vote)}`;
    return `HardState Term:${names.shownTerm(term)}${voted} Commit:${names.shownIndex(commit)}`;
  }

  /** As Go prints the list: the context as numbers. */
  readStates(reads: readonly ReadState[]): string {
    const list = reads.map(({ readId, index }) => {
      const context = [...this.#contextOf(readId)].join(' ');
      return `{${this.#names.shownIndex(index)} [${context}]}`;
    });
    return `ReadStates [${list.join(' ')}]`;
  }

  entry(entry: Entry | Proposal): string {
    const { type, data } = entry;
    const at = 'index' in entry ? this.logId(entry) : '0/0';
    const payload = type === 'normal' ? goQuote(data) : this.#change(entry);
    return `${at} ${entryText[type]}${payload === '' ? '' : ` ${payload}`}`;
  }

  #change(entry: Entry | Proposal): string {
    const { changes } = toConfChangeV2(decodeConfChange(entry));
    const shown = changes.map(({ type, memberId }) => ({
      type,
      memberId: this.#names.label(memberId),
    }));
    return changeText(shown);
  }

  logId({ term, index }: LogId): string {
    return `${this.#names.shownLogTerm(term)}/${this.#names.shownIndex(index)}`;
  }

  snapshot({ last, configuration }: Snapshot): string {
    const index = this.#names.shownIndex(last.index);
    const term = this.#names.shownLogTerm(last.term);
    return `Index:${index} Term:${term} ConfState:${this.#confState(configuration)}`;
  }

  #confState({ voters, votersOutgoing, learners, learnersNext, autoLeave }: ConfState): string {
    const list = (ids: readonly number[] = []): string => `[${this.#names.labels(ids).join(' ')}]`;
    return (
      `Voters:${list(voters)} VotersOutgoing:${list(votersOutgoing)} ` +
      `Learners:${list(learners)} LearnersNext:${list(learnersNext)} ` +
      `AutoLeave:${autoLeave ?? false}`
    );
  }

  progress(status: ProgressStatus): string {
    const names = this.#names;
    const match = names.shownIndex(status.match);
    const next = names.shownIndex(status.next);
    let text = `${names.label(status.id)}: ${progressText[status.state]} match=${match} next=${next}`;
    if (status.learner) text += ' learner';
    if (status.paused) text += ' paused';
    if (status.pendingSnapshot > 0) {
      text += ` pendingSnap=${names.shownIndex(status.pendingSnapshot)}`;
    }
    if (!status.recentActive) text += ' inactive';
    if (status.inflightCount > 0) text += ` inflight=${status.inflightCount}`;
    return status.inflightCount > 0 && status.inflightFull ? `${text}[full]` : text;
  }

  raftState(status: RaftStatus): string {
    const { id, role, configuration, term, leader } = status;
    const voter = isVoter(configuration, id) ? '(Voter)' : '(Non-Voter)';
    const names = this.#names;
    return (
      `${names.label(id)}: ${roleText[role]} ${voter} Term:${names.shownTerm(term)} ` +
      `Lead:${names.label(leader)}`
    );
  }
}
