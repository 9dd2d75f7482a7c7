/**
 * The properties of Raft over a whole simulated cluster and all time (semantics §20), fed with every
 * observable event. Each method throws at the first property that does not hold. What concerns one
 * member alone is in `random/core-checker.ts`.
 */
import {
  type AppendRequest,
  type Configuration,
  type Entry,
  isSameConfState,
  type LogId,
  type MemberId,
  type PeerMessage,
  type RaftStatus,
  type RawNode,
  type Ready,
  type StorageAppend,
} from '../../src/raft/index.js';
import { coreOf } from '../../src/raft/raw-node.js';
import type { Member } from './member.js';
import { CoreChecker } from './random/core-checker.js';
import { expectRule } from './random/expect-rule.js';
import { History, isQuorum } from './random/history.js';
import type { MachineState } from './random/state-machine.js';

/** §20.10: no pledge, and no act of an elected leader, in a term that a crash would forget. */
const pledges: ReadonlySet<PeerMessage['kind']> = new Set([
  'vote-request',
  'vote-response',
  'pre-vote-response',
  'append-response',
  'append-request',
  'heartbeat-request',
  'snapshot-request',
  'timeout-now',
  'read-response',
] as const);

export class ClusterChecker {
  readonly #members: readonly Member[];
  readonly history: History;
  readonly #core: CoreChecker;
  /** Every leader there ever was. */
  readonly #leaders = new Map<number, MemberId>();
  /** Terms of the log of each term's leader, by index. */
  readonly #leaderLogs = new Map<number, (number | undefined)[]>();
  /** Every entry there ever was, and the term before it. */
  readonly #entries = new Map<string, { readonly entry: Entry; readonly previous: number }>();
  readonly #votes = new Map<string, MemberId>();
  /** The newest commit by counting, and the voters it was counted over. */
  #lastCommit: (LogId & { readonly configuration: Configuration }) | undefined;
  readonly #last = new Map<MemberId, RaftStatus>();
  readonly #durable = new Map<MemberId, { readonly term: number; readonly commit: number }>();
  /** Up to where a member's committed entries were compared, in this life. */
  readonly #compared = new Map<MemberId, number>();
  /** Last pair of configurations that were compared. */
  readonly #same = new Map<MemberId, readonly [Configuration, Configuration]>();
  /** Last entry applied by anybody. */
  #acknowledged = 0;
  /** What was acknowledged when each read began. */
  readonly #reads = new Map<string, number>();
  answeredReads = 0;
  /** Terms for which somebody asked in the name of the leader before. */
  readonly #forcedTerms = new Map<number, MemberId>();
  transfers = 0;
  snapshots = 0;

  /** @param base - what the founders start from; at most one entry per founder may be compared less */
  constructor(members: readonly Member[], base: MachineState) {
    this.#members = members;
    this.history = new History(base);
    this.#core = new CoreChecker();
  }

  /** After every input of a member. */
  onStep(member: Member, status: RaftStatus): void {
    const before = this.#last.get(member.id);
    this.#last.set(member.id, status);
    if (before !== undefined) checkMonotonic(before, status);
    if (status.role === 'leader') {
      this.#checkElectionSafety(member, status);
      if (before?.role === 'leader' && before.term === status.term) {
        if (status.commit > before.commit) this.#checkCommitRule(status);
      }
      this.#checkMatches(member, status);
    }
    this.#checkStillDurable();
    this.#checkConfiguration(member, status);
    this.#core.onStep(member, status);
  }

  onRestart(member: Member): void {
    this.#last.delete(member.id);
    this.#compared.delete(member.id);
    this.#core.onRestart(member);
  }

  /** §20.1: at most one leader per term, over all time; elected by a quorum of its voters. */
  #checkElectionSafety(member: Member, { id, term, configuration }: RaftStatus): void {
    const known = this.#leaders.get(term);
    if (known === id) return;
    expectRule(known === undefined, '20.1', `term ${term} has leaders ${known} and ${id}`);
    this.#leaders.set(term, id);
    const { hardState } = member.store.durable;
    const granted = (voter: MemberId): boolean =>
      voter === id
        ? hardState.term === term && hardState.vote === id
        : this.#votes.get(`${voter}@${term}`) === id;
    const elected = isQuorum(configuration, granted);
    expectRule(elected, '20.1', `${id} leads term ${term} without the votes of a quorum`);
    expectRule(configuration.voters.length > 0, '20.38', `${id} leads nobody`);
    if (this.#forcedTerms.get(term) === id) this.transfers += 1;
  }

  /** §20.7 and figure 8: what commits by counting is of the own term and durable on a quorum. */
  #checkCommitRule({ id, term, commit, configuration }: RaftStatus): void {
    const last = { index: commit, term, configuration };
    this.#checkDurable(last, `leader ${id} committed it`);
    if (commit > (this.#lastCommit?.index ?? 0)) this.#lastCommit = last;
  }

  /** §20.7: of each half of the configuration in which it was committed. */
  #checkDurable(
    { index, term, configuration }: LogId & { readonly configuration: Configuration },
    who: string,
  ): void {
    const has = (id: MemberId): boolean => {
      const image = this.#members.find((member) => member.id === id)?.store.durable;
      if (image === undefined) return false;
      return image.base.index > index || image.term(index) === term;
    };
    if (isQuorum(configuration, has)) return;
    const voters = `${configuration.voters} and ${configuration.votersOutgoing}`;
    expectRule(false, '20.7', `${index}@${term} is not durable on a quorum of ${voters}: ${who}`);
  }

  /** §20.7 afterwards: a committed entry stays durable on a quorum, whoever crashes. */
  #checkStillDurable(): void {
    if (this.#lastCommit !== undefined) this.#checkDurable(this.#lastCommit, 'it was before');
  }

  /** §20.25: a member's durable log agrees with what its leader believes it has. */
  #checkMatches(leader: Member, status: RaftStatus): void {
    for (const { id, match } of status.progress) {
      const peer = this.#members.find((member) => member.id === id);
      if (peer === undefined || id === leader.id || match === 0) continue;
      const { durable } = peer.store;
      if (durable.hardState.term !== status.term || durable.base.index > match) continue;
      const own = leader.store.written.term(match) ?? this.history.term(match);
      const theirs = durable.term(match);
      if (own === theirs) continue;
      expectRule(false, '20.25', `leader ${leader.id} matches ${id} at ${match}: ${theirs}`);
    }
  }

  /** §12.1, §20.27: everybody's configuration is that of what it has applied, or of its snapshot. */
  #checkConfiguration(member: Member, { configuration }: RaftStatus): void {
    const at = this.#core.configurationIndex(member);
    const expected = this.history.state(at)?.configuration;
    if (expected === undefined || at < this.founders) return;
    const [own, theirs] = this.#same.get(member.id) ?? [];
    if (own === configuration && theirs === expected) return;
    expectRule(
      isSameConfState(configuration, expected),
      '20.27',
      `${member.id} has ${JSON.stringify(configuration)} at ${at}, not ${JSON.stringify(expected)}`,
    );
    this.#same.set(member.id, [configuration, expected]);
  }

  /** Entries before this one each add a founder, who counted from the start (semantics §18). */
  founders = 0;

  /** When a write was handed out, before the store accepts it: log matching by induction (§20.3). */
  onAppend(member: Member, append: StorageAppend): void {
    this.#core.onAppend(member, append);
    const { written } = member.store;
    const { snapshot } = append;
    if (snapshot !== undefined) {
      const { index, term } = snapshot.last;
      const same = this.history.term(index) === term;
      expectRule(same, '20.3', `${member.id} installs an uncommitted ${index}@${term}`);
    }
    const start = (append.entries[0]?.index ?? 1) - 1;
    let previous = snapshot?.last.index === start ? snapshot.last.term : written.term(start);
    for (const entry of append.entries) {
      expectRule(previous !== undefined, '20.19', `hole before ${entry.index} at ${member.id}`);
      const key = `${entry.index}@${entry.term}`;
      const known = this.#entries.get(key);
      if (known === undefined) this.#entries.set(key, { entry, previous });
      else {
        const same = known.previous === previous && equal(known.entry, entry);
        expectRule(same, '20.3', `log matching: member ${member.id} has another ${key}`);
      }
      expectRule(entry.term >= previous, '20.19', `terms fall at ${entry.index} of ${member.id}`);
      previous = entry.term;
    }
  }

  /** After a Ready was accepted: now the written image is the log in memory. */
  onReady(member: Member, ready: Ready, status: RaftStatus): void {
    this.#core.onReady(member, ready);
    if (status.role === 'leader') this.#checkLeaderLog(member, status);
    this.#compareCommitted(member, status);
    for (const { readId, index } of ready.reads) this.#checkRead(member, readId, index);
    const applied = ready.apply?.entries.at(-1)?.index ?? 0;
    const { durable } = member.store;
    expectRule(applied <= status.commit, '20.17', `${member.id} applies ${applied} uncommitted`);
    expectRule(
      member.sync || durable.lastIndex >= applied,
      '20.18',
      `${member.id} applies ${applied}, which is not durable there`,
    );
  }

  /** §20.6: the committed parts of all logs are prefixes of one. */
  #compareCommitted({ id, store: { written } }: Member, { commit, term }: RaftStatus): void {
    const { history } = this;
    const from = Math.max(this.#compared.get(id) ?? 0, written.base.index);
    const { base } = written;
    const begin = history.term(base.index);
    if (begin !== undefined && begin !== base.term) {
      expectRule(false, '20.6', `${id} begins behind another ${base.index}`);
    }
    for (let index = from + 1; index <= commit; index += 1) {
      const entry = written.entry(index);
      expectRule(entry !== undefined, '20.17', `commit ${commit} beyond the log of ${id}`);
      const known = history.at(index);
      if (known === undefined) history.push(entry, term);
      else expectRule(equal(known.entry, entry), '20.6', `${id} committed another ${index}`);
    }
    this.#compared.set(id, commit);
  }

  /** Answers that wait to be taken. */
  waitingReads(node: RawNode): number {
    return coreOf(node).readStates.length;
  }

  /** A member starts a read: whatever is applied anywhere may have been acknowledged to somebody. */
  onRead(member: Member, readId: number): void {
    this.#reads.set(`${member.id}/${readId}`, this.#acknowledged);
  }

  /** §20.12 a read index is never below what was acknowledged before the read began. */
  #checkRead(member: Member, readId: number, index: number): void {
    const floor = this.#reads.get(`${member.id}/${readId}`);
    expectRule(
      floor !== undefined,
      '20.12',
      `${member.id} got a read ${readId} it did not ask for`,
    );
    expectRule(
      index >= floor,
      '20.12',
      `${member.id} reads at ${index}, ${floor} was acknowledged`,
    );
    this.answeredReads += 1;
  }

  /** §20.2 append-only leaders; §20.4 a new leader has all that is committed. */
  #checkLeaderLog(member: Member, { term }: RaftStatus): void {
    const { written } = member.store;
    const known = this.#leaderLogs.get(term);
    const terms: (number | undefined)[] = known?.slice(0, written.base.index + 1) ?? [];
    for (const entry of written.entries) terms[entry.index] = entry.term;
    if (known === undefined) {
      for (const committed of this.history.items) {
        const { index } = committed.entry;
        if (committed.term >= term || index <= written.base.index) continue;
        expectRule(
          written.term(index) === committed.entry.term,
          '20.4',
          `leader ${member.id} of term ${term} lacks committed ${index}`,
        );
      }
    } else {
      const kept = known.every((each, i) => each === undefined || terms[i] === each);
      expectRule(kept, '20.2', `leader ${member.id} of term ${term} changed its log`);
    }
    this.#leaderLogs.set(term, terms);
  }

  /** §20.2 through what a leader says: it may have stepped down before its Ready was taken. */
  #recordSent({ term, previous, entries }: AppendRequest): void {
    const log = this.#leaderLogs.get(term) ?? [];
    this.#leaderLogs.set(term, log);
    for (const id of [previous, ...entries]) {
      if (id.index === 0) continue;
      const known = log[id.index];
      const same = known === undefined || known === id.term;
      expectRule(same, '20.2', `term ${term} sends another ${id.index}`);
      log[id.index] = id.term;
    }
  }

  /** Before the state machine's answer for its oldest page is stepped. */
  onAnswer(member: Member): void {
    this.#core.onAnswer(member);
  }

  /** When a message leaves a member. */
  onSend(member: Member, message: PeerMessage): void {
    const { kind, from, term } = message;
    if (kind === 'vote-response' && message.granted) this.#checkVote(member, message);
    if (kind === 'append-response' && message.hint === undefined) {
      this.#checkAcknowledgement(member, message);
    }
    if (kind === 'vote-request' && message.transfer === true) this.#forcedTerms.set(term, from);
    if (kind === 'append-request') {
      checkContiguous(message);
      this.#recordSent(message);
    }
    // A grant beforehand is about the next term.
    if (!pledges.has(kind) || (kind === 'pre-vote-response' && message.granted)) return;
    const durableTerm = member.store.durable.hardState.term;
    if (term <= durableTerm) return;
    expectRule(false, '20.10', `${kind} of ${from} in term ${term}, durable ${durableTerm}`);
  }

  /** §20.8: one vote per term, whatever crashed between. */
  #checkVote(member: Member, { from: voter, to: candidate, term }: PeerMessage): void {
    const key = `${voter}@${term}`;
    const known = this.#votes.get(key);
    const once = known === undefined || known === candidate;
    expectRule(once, '20.8', `${voter} voted for ${known} and ${candidate} in term ${term}`);
    this.#votes.set(key, candidate);
    const { hardState } = member.store.durable;
    const kept = hardState.term > term || (hardState.term === term && hardState.vote === candidate);
    expectRule(kept, '20.8', `${voter}'s vote for ${candidate} in term ${term} is not durable`);
  }

  /** §20.11: an acknowledged prefix is durable and is the leader's. */
  #checkAcknowledgement(member: Member, message: PeerMessage & { readonly index: number }): void {
    const { index, term, from, to } = message;
    const { durable } = member.store;
    // One write may hold an append of term t, the next term, and a new leader's entries in its place.
    // The acknowledgement to t then proves nothing, and does no harm: t's leader can commit nothing
    // that the next leader lacks.
    if (index === 0 || term < durable.hardState.term || index < durable.base.index) return;
    const own = durable.term(index);
    if (own !== undefined && own === this.history.term(index)) return;
    // A leader's own last entry is of its term; it may have stepped down before sending it.
    const leaders = from === to ? term : this.#leaderLogs.get(term)?.[index];
    expectRule(
      own !== undefined && own === leaders,
      '20.11',
      `${member.id} acknowledged ${index} in term ${term}: has ${own}, leader ${leaders}`,
    );
  }

  /**
   * §20.5: what is applied is the committed log, without gap or repeat, and leads everywhere to the
   * same state; changes that cannot be made are refused everywhere alike.
   */
  onApply(member: Member, entry: Entry, refused: string | undefined): void {
    const { index } = entry;
    const known = this.history.at(index);
    const same = known !== undefined && equal(known.entry, entry);
    expectRule(same, '20.5', `${member.id} applies another ${index}`);
    const { state } = member.machine;
    const alike = state.index === index && state.chain === known.state.chain;
    expectRule(alike, '20.5', `${member.id} has another state at ${index}`);
    if (index > this.founders) {
      const verdict = `${refused}, not ${known.refused}`;
      expectRule(refused === known.refused, '20.27', `${member.id} at ${index}: ${verdict}`);
    }
    this.#acknowledged = Math.max(this.#acknowledged, index);
  }

  /** §20.15: what a crash leaves never goes back; §20.5: an installed state is the committed one. */
  onDurable(member: Member): void {
    const { id, store, machine } = member;
    const { term, commit } = store.durable.hardState;
    const before = this.#durable.get(id) ?? { term: 0, commit: 0 };
    expectRule(term >= before.term, '20.15', `durable term of ${id} fell to ${term}`);
    expectRule(commit >= before.commit, '20.15', `durable commit of ${id} fell to ${commit}`);
    this.#durable.set(id, { term, commit });
    if (!machine.install(store.durable.snapshot)) return;
    this.snapshots += 1;
    const { index, chain, configuration } = machine.durable;
    const known = this.history.state(index);
    const same = known?.chain === chain && isSameConfState(known.configuration, configuration);
    expectRule(same, '20.5', `${id} installed another state at ${index}`);
  }
}

/** §20.15 and §20.16, within one life of a process. */
function checkMonotonic(before: RaftStatus, now: RaftStatus): void {
  const { id } = now;
  const later =
    now.term >= before.term && now.commit >= before.commit && now.applied >= before.applied;
  if (!later) expectRule(false, '20.15', `term, commit or applied index of ${id} fell`);
  if (now.term !== before.term) return;
  if (before.vote === 0 || now.vote === before.vote) return;
  expectRule(false, '20.16', `${id} changed its vote`);
}

/** §20.26. */
function checkContiguous(message: AppendRequest): void {
  let { index, term } = message.previous;
  for (const entry of message.entries) {
    expectRule(entry.index === index + 1, '20.26', `append with a gap at ${entry.index}`);
    const inOrder = entry.term >= term && entry.term <= message.term;
    expectRule(inOrder, '20.26', `term of ${entry.index}`);
    ({ index, term } = entry);
  }
}

function equal(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  return (
    a.index === b.index &&
    a.term === b.term &&
    a.type === b.type &&
    a.data.length === b.data.length &&
    a.data.every((byte, i) => byte === b.data[i])
  );
}
