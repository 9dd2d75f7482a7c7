/**
 * The properties of Raft over a whole simulated cluster and all time (semantics §20), fed with every
 * observable event. Each method throws at the first property that does not hold.
 */
import type {
  AppendRequest,
  Entry,
  MemberId,
  PeerMessage,
  RaftStatus,
  Ready,
  StorageAppend,
} from '../../src/raft/index.js';
import { majority } from '../../src/raft/index.js';
import type { MemberStore } from './member-store.js';

/** What the checker needs to see of a member. */
export interface Observed {
  readonly id: MemberId;
  readonly store: MemberStore;
}

interface Committed {
  readonly entry: Entry;
  /** A term in which it was known to be committed. */
  readonly term: number;
}

export class ClusterChecker {
  readonly #members: readonly Observed[];
  /** Every leader there ever was. */
  readonly #leaders = new Map<number, MemberId>();
  /** Terms of the log of each term's leader, by index - 1. */
  readonly #leaderLogs = new Map<number, number[]>();
  /** Every entry there ever was, and the term before it. */
  readonly #entries = new Map<string, { readonly entry: Entry; readonly previous: number }>();
  readonly #votes = new Map<string, MemberId>();
  /** The committed log of the cluster, by index - 1. */
  readonly committed: Committed[] = [];
  readonly #last = new Map<MemberId, RaftStatus>();
  readonly #durableTerms = new Map<MemberId, number>();
  /** Last entry applied by anybody. */
  #acknowledged = 0;
  /** What was acknowledged when each read began. */
  readonly #reads = new Map<string, number>();
  answeredReads = 0;

  constructor(members: readonly Observed[]) {
    this.#members = members;
  }

  /** After every input of a member. */
  onStep(member: Observed, status: RaftStatus): void {
    const before = this.#last.get(member.id);
    this.#last.set(member.id, status);
    if (before !== undefined) checkMonotonic(before, status);
    if (status.role === 'leader') {
      this.#checkElectionSafety(status);
      if (before?.role === 'leader' && before.term === status.term) {
        if (status.commit > before.commit) this.#checkCommitRule(status);
      }
      this.#checkMatches(member, status);
    }
    this.#checkStillDurable();
  }

  onRestart(member: Observed): void {
    this.#last.delete(member.id);
  }

  /** §20.1: at most one leader per term, over all time. */
  #checkElectionSafety({ id, term }: RaftStatus): void {
    const known = this.#leaders.get(term);
    expect(
      known === undefined || known === id,
      `§20.1 term ${term} has leaders ${known} and ${id}`,
    );
    this.#leaders.set(term, id);
  }

  /** §20.7 and figure 8: what commits by counting is of the own term and durable on a quorum. */
  #checkCommitRule({ id, term, commit }: RaftStatus): void {
    const copies = this.#durableCopies(commit, term);
    expect(
      copies >= majority(this.#members.length),
      `§20.7 leader ${id} committed ${commit}@${term}, durable on ${copies} members only`,
    );
  }

  #durableCopies(index: number, term: number): number {
    let copies = 0;
    for (const { store } of this.#members) if (store.durable.term(index) === term) copies += 1;
    return copies;
  }

  /** §20.7 afterwards: a committed entry stays durable on a quorum, whoever crashes. */
  #checkStillDurable(): void {
    const last = this.committed[this.committed.length - 1];
    if (last === undefined) return;
    const { index, term } = last.entry;
    const copies = this.#durableCopies(index, term);
    expect(copies >= majority(this.#members.length), `§20.7 only ${copies} copies of ${index}`);
  }

  /** §20.25: a member's durable log agrees with what its leader believes it has. */
  #checkMatches(leader: Observed, status: RaftStatus): void {
    for (const { id, match } of status.progress) {
      const peer = this.#members.find((member) => member.id === id);
      if (peer === undefined || id === leader.id || match === 0) continue;
      if (peer.store.durable.hardState.term !== status.term) continue;
      const own = leader.store.written.term(match);
      const theirs = peer.store.durable.term(match);
      expect(own === theirs, `§20.25 leader ${leader.id} matches ${id} at ${match}: ${theirs}`);
    }
  }

  /** When a write was handed out, before the store accepts it: log matching by induction (§20.3). */
  onAppend(member: Observed, append: StorageAppend): void {
    const { written } = member.store;
    let previous = written.term((append.entries[0]?.index ?? 1) - 1);
    for (const entry of append.entries) {
      expect(previous !== undefined, `§20.19 hole before ${entry.index} at ${member.id}`);
      const key = `${entry.index}@${entry.term}`;
      const known = this.#entries.get(key);
      if (known === undefined) this.#entries.set(key, { entry, previous });
      else {
        const same = known.previous === previous && equal(known.entry, entry);
        expect(same, `§20.3 log matching: member ${member.id} has another ${key}`);
      }
      expect(entry.term >= previous, `§20.19 terms fall at ${entry.index} of ${member.id}`);
      previous = entry.term;
    }
  }

  /** After a Ready was accepted: now the written image is the log in memory. */
  onReady(member: Observed, ready: Ready, status: RaftStatus): void {
    const { written } = member.store;
    if (status.role === 'leader') this.#checkLeaderLog(member, status);
    for (let index = 1; index <= status.commit; index += 1) {
      const entry = written.entries[index - 1];
      expect(entry !== undefined, `§20.17 commit ${status.commit} beyond log of ${member.id}`);
      const known = this.committed[index - 1];
      if (known === undefined) this.committed.push({ entry, term: status.term });
      else expect(equal(known.entry, entry), `§20.6 ${member.id} committed another ${index}`);
    }
    for (const { readId, index } of ready.reads) this.#checkRead(member, readId, index);
    const { apply } = ready;
    const applied = apply?.entries[apply.entries.length - 1]?.index ?? 0;
    expect(applied <= status.commit, `§20.17 ${member.id} applies ${applied} uncommitted`);
    expect(
      member.store.durable.lastIndex >= applied,
      `§20.18 ${member.id} applies ${applied}, which is not durable there`,
    );
  }

  /** A member starts a read: whatever is applied anywhere may have been acknowledged to somebody. */
  onRead(member: Observed, readId: number): void {
    this.#reads.set(`${member.id}/${readId}`, this.#acknowledged);
  }

  /** §20.12 a read index is never below what was acknowledged before the read began. */
  #checkRead(member: Observed, readId: number, index: number): void {
    const floor = this.#reads.get(`${member.id}/${readId}`);
    expect(floor !== undefined, `§20.12 ${member.id} got a read ${readId} it did not ask for`);
    expect(
      index >= (floor ?? 0),
      `§20.12 ${member.id} reads at ${index}, ${floor} was acknowledged`,
    );
    this.answeredReads += 1;
  }

  /** §20.2 append-only leaders; §20.4 a new leader has all that is committed. */
  #checkLeaderLog(member: Observed, { term }: RaftStatus): void {
    const { written } = member.store;
    const terms = written.entries.map((entry) => entry.term);
    const known = this.#leaderLogs.get(term);
    if (known === undefined) {
      for (const committed of this.committed) {
        if (committed.term >= term) continue;
        const { index } = committed.entry;
        expect(
          written.term(index) === committed.entry.term,
          `§20.4 leader ${member.id} of term ${term} lacks committed ${index}`,
        );
      }
    } else {
      const kept = known.every((each, i) => terms[i] === each);
      expect(kept, `§20.2 leader ${member.id} of term ${term} changed its log`);
    }
    this.#leaderLogs.set(term, terms);
  }

  /** §20.2 through what a leader says: it may have stepped down before its Ready was taken. */
  #recordSent({ term, previous, entries }: AppendRequest): void {
    const log = this.#leaderLogs.get(term) ?? [];
    this.#leaderLogs.set(term, log);
    for (const id of [previous, ...entries]) {
      if (id.index === 0) continue;
      const known = log[id.index - 1];
      expect(
        known === undefined || known === id.term,
        `§20.2 term ${term} sends another ${id.index}`,
      );
      log[id.index - 1] = id.term;
    }
  }

  /** When a message leaves a member. */
  onSend(member: Observed, message: PeerMessage): void {
    const durableTerm = member.store.durable.hardState.term;
    switch (message.kind) {
      case 'vote-response':
        if (message.granted) this.#checkVote(member, message);
        this.#checkPledge(message, durableTerm);
        break;
      case 'pre-vote-response':
        if (!message.granted) this.#checkPledge(message, durableTerm);
        break;
      case 'append-response':
        this.#checkPledge(message, durableTerm);
        if (message.hint === undefined) this.#checkAcknowledgement(member, message);
        break;
      case 'append-request':
        checkContiguous(message);
        this.#checkPledge(message, durableTerm);
        this.#recordSent(message);
        break;
      case 'vote-request':
      case 'heartbeat-request':
        this.#checkPledge(message, durableTerm);
        break;
      default:
    }
  }

  /** §20.8: one vote per term, whatever crashed between. */
  #checkVote(member: Observed, { from: voter, to: candidate, term }: PeerMessage): void {
    const key = `${voter}@${term}`;
    const known = this.#votes.get(key);
    expect(
      known === undefined || known === candidate,
      `§20.8 ${voter} voted for ${known} and ${candidate} in term ${term}`,
    );
    this.#votes.set(key, candidate);
    const { hardState } = member.store.durable;
    const kept = hardState.term > term || (hardState.term === term && hardState.vote === candidate);
    expect(kept, `§20.8 ${voter} voted for ${candidate} in term ${term} before that was durable`);
  }

  /** §20.10: no pledge, and no act of an elected leader, in a term that a crash would forget. */
  #checkPledge(message: PeerMessage, durableTerm: number): void {
    expect(
      message.term <= durableTerm,
      `§20.10 ${message.kind} of ${message.from} in term ${message.term}, durable ${durableTerm}`,
    );
  }

  /** §20.11: an acknowledged prefix is durable and is the leader's. */
  #checkAcknowledgement(member: Observed, message: PeerMessage & { readonly index: number }): void {
    const { index, term, from, to } = message;
    const { durable } = member.store;
    // One write may hold an append of term t, the next term, and a new leader's entries in its place.
    // The acknowledgement to t then proves nothing, and does no harm: t's leader can commit nothing
    // that the next leader lacks.
    if (index === 0 || term < durable.hardState.term) return;
    // A leader's own last entry is of its term; it may have stepped down before sending it.
    const leaders = from === to ? term : this.#leaderLogs.get(term)?.[index - 1];
    const own = durable.term(index);
    expect(
      own !== undefined && own === leaders,
      `§20.11 ${member.id} acknowledged ${index} in term ${term}: has ${own}, leader ${leaders}`,
    );
  }

  /** §20.5: what is applied is the committed log, without gap or repeat. */
  onApply(member: Observed, entries: readonly Entry[], applied: number): void {
    entries.forEach((entry, i) => {
      expect(entry.index === applied + 1 + i, `§20.5 ${member.id} applies ${entry.index} late`);
      const known = this.committed[entry.index - 1];
      const same = known !== undefined && equal(known.entry, entry);
      expect(same, `§20.5 ${member.id} applies another ${entry.index}`);
      this.#acknowledged = Math.max(this.#acknowledged, entry.index);
    });
  }

  /** §20.15: what a crash leaves never goes back. */
  onDurable(member: Observed): void {
    const { term } = member.store.durable.hardState;
    const before = this.#durableTerms.get(member.id) ?? 0;
    expect(term >= before, `§20.15 durable term of ${member.id} fell from ${before} to ${term}`);
    this.#durableTerms.set(member.id, term);
  }
}

/** §20.15 and §20.16, within one life of a process. */
function checkMonotonic(before: RaftStatus, now: RaftStatus): void {
  const { id } = now;
  expect(now.term >= before.term, `§20.15 the term of ${id} fell`);
  expect(now.commit >= before.commit, `§20.15 the commit index of ${id} fell`);
  expect(now.applied >= before.applied, `§20.15 the applied index of ${id} fell`);
  if (now.term !== before.term) return;
  expect(before.vote === 0 || now.vote === before.vote, `§20.16 ${id} changed its vote`);
}

/** §20.26. */
function checkContiguous(message: AppendRequest): void {
  let { index, term } = message.previous;
  for (const entry of message.entries) {
    expect(entry.index === index + 1, `§20.26 append with a gap at ${entry.index}`);
    expect(entry.term >= term && entry.term <= message.term, `§20.26 term of ${entry.index}`);
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

function expect(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message);
}
