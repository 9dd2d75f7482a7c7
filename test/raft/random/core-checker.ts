/**
 * Properties of one member (semantics §20, per node) beyond those that the core asserts itself: what
 * it says when it says it, the leader's accounts, and the contract of `Ready`.
 */
import type { PeerMessage, RaftStatus, Ready, StorageAppend } from '../../../src/raft/index.js';
import { emptyHardState, type HardState, isVoter, type MemberId } from '../../../src/raft/index.js';
import { encodedBytes } from '../../../src/raft/log.js';
import type { Raft } from '../../../src/raft/raft.js';
import { coreOf } from '../../../src/raft/raw-node.js';
import type { BareMember as Member } from '../../../src/testing/bare/bare-member.js';
import { expectRule } from './expect-rule.js';

/** What was seen of a member in its present life. */
interface Seen {
  messages: number;
  pledges: number;
  /** Own reads of one leadership come back in the order in which they were asked. */
  reads: number;
  lastRead: readonly [term: number, readId: number];
  account: string;
  hardState: HardState;
  /** Encoded bytes of each page that is with the state machine. */
  pages: number[];
}

export class CoreChecker {
  readonly #seen = new Map<MemberId, Seen>();

  onRestart(member: Member): void {
    const { hardState } = member.store.durable;
    const bootstraps = coreOf(member.up).log.lastIndex > member.store.durable.lastIndex;
    this.#seen.set(member.id, {
      messages: 0,
      pledges: 0,
      reads: 0,
      lastRead: [0, 0],
      account: '',
      hardState: bootstraps ? emptyHardState : hardState,
      pages: [],
    });
  }

  #of({ id }: Member): Seen {
    const seen = this.#seen.get(id);
    if (seen === undefined) throw new Error(`member ${id} was never started`);
    return seen;
  }

  onStep(member: Member, status: RaftStatus): void {
    const core = coreOf(member.up);
    const seen = this.#of(member);
    while (seen.messages < core.messages.length) {
      checkEmitted(core, core.messages[seen.messages]!);
      seen.messages += 1;
    }
    while (seen.pledges < core.afterPersist.length) {
      checkPledge(core, core.afterPersist[seen.pledges]!);
      seen.pledges += 1;
    }
    this.#checkReadOrder(core, seen);
    if (status.role === 'leader') this.#checkAccounts(core, seen, status);
    this.#checkApplies(member, core, seen);
  }

  /** §20.32: first in, first out; a lease may answer out of turn. */
  #checkReadOrder(core: Raft, seen: Seen): void {
    for (; seen.reads < core.readStates.length; seen.reads += 1) {
      const { readId } = core.readStates[seen.reads]!;
      if (core.role !== 'leader' || core.leaseMs > 0) continue;
      const [term, last] = seen.lastRead;
      const inOrder = term !== core.term || readId > last;
      expectRule(inOrder, '20.32', `${core.id} answers read ${readId} after ${last}`);
      seen.lastRead = [core.term, readId];
    }
  }

  /** §20.24, §20.29, §20.30: what a leader believes about its own log and its peers. */
  #checkAccounts(core: Raft, seen: Seen, status: RaftStatus): void {
    for (const [id, { match, state, inflights }] of core.progress) {
      const [first = Infinity] = state === 'replicate' ? inflights.indexes() : [];
      if (first <= match) expectRule(false, '20.24', `${core.id} waits for ${first} of ${id}`);
    }
    const { applied, lastIndex, commit } = status;
    const { pendingConfIndex, uncommittedBytes, id } = core;
    const account = `${applied} ${lastIndex} ${commit} ${pendingConfIndex} ${uncommittedBytes}`;
    if (account === seen.account) return;
    seen.account = account;
    let bytes = 0;
    let lastChange = 0;
    const tail = core.log.slice(applied + 1, lastIndex + 1, Infinity);
    for (const entry of Array.isArray(tail) ? tail : []) {
      if (entry.term === core.term) bytes += entry.data.length;
      if (entry.type !== 'normal') lastChange = entry.index;
    }
    expectRule(pendingConfIndex >= lastChange, '20.29', `${id} overlooks ${lastChange}`);
    expectRule(uncommittedBytes <= bytes, '20.30', `${id}: ${uncommittedBytes} > ${bytes}`);
  }

  /** §20.31, its other side: with nothing under way, what can be applied is offered. */
  #checkApplies({ id, up, turn }: Member, core: Raft, { pages }: Seen): void {
    const { log } = core;
    if (pages.length > 0 || turn !== undefined || log.pendingSnapshot !== undefined) return;
    if (log.applied < Math.min(log.committed, log.offset - 1)) {
      expectRule(up.hasReady(), '20.31', `${id} withholds what it could apply`);
    }
  }

  /** §20.35: a hard state is told when it changed, and synced when term, vote or log did. */
  #checkAppend(member: Member, append: StorageAppend): void {
    const seen = this.#of(member);
    const { hardState: before } = seen;
    const now = append.hardState ?? before;
    const { id } = member;
    const differs =
      now.term !== before.term || now.vote !== before.vote || now.commit !== before.commit;
    expectRule(differs === (append.hardState !== undefined), '20.35', `hard state of ${id}`);
    const content = append.entries.length > 0 || append.snapshot !== undefined;
    const sync = content || now.term !== before.term || now.vote !== before.vote;
    expectRule(append.mustSync === sync, '20.35', `${id} must sync: ${append.mustSync}`);
    seen.hardState = now;
  }

  /** A `Ready` was taken, and nothing is left to take. */
  onReady(member: Member, ready: Ready): void {
    const core = coreOf(member.up);
    const seen = this.#of(member);
    if (ready.append !== undefined) this.#checkAppend(member, ready.append);
    // Heartbeats for waiting reads are made while `ready` is taken.
    for (const message of ready.messages.slice(seen.messages)) checkEmitted(core, message);
    seen.messages = 0;
    seen.pledges = 0;
    seen.reads = 0;
    expectRule(!member.up.hasReady(), '20.34', `${member.id} has more after ready()`);
    const { softState, reads, messages, append, apply, fetch } = ready;
    const empty =
      softState === undefined && append === undefined && apply === undefined && reads.length === 0;
    const nothing = empty && messages.length === 0 && fetch.length === 0;
    expectRule(!nothing, '20.34', `${member.id} has an empty Ready`);
    if (apply === undefined) return;
    const { pendingSnapshot } = core.log;
    expectRule(pendingSnapshot === undefined, '20.20', `${member.id} applies beside a snapshot`);
    this.#checkApplied(member, core, apply.entries.at(-1)?.index ?? 0);
    this.#checkBudget(member, core, apply.entries.map(encodedBytes));
    const bytes = apply.entries.reduce((sum, entry) => sum + encodedBytes(entry), 0);
    seen.pages.push(bytes);
  }

  /** §20.17, §20.18: only what is committed is handed out, and only once it is durable here. */
  #checkApplied(member: Member, { id, log }: Raft, index: number): void {
    expectRule(index <= log.committed, '20.17', `${id} applies ${index} uncommitted`);
    const durable = member.sync || member.store.durable.lastIndex >= index;
    expectRule(durable, '20.18', `${id} applies ${index}, which is not durable there`);
  }

  /** The state machine is about to answer the oldest page. */
  onAnswer(member: Member): void {
    this.#of(member).pages.shift();
  }

  /** §20.31: what is handed out and not answered stays within the budget, over all pages. */
  #checkBudget(member: Member, core: Raft, sizes: readonly number[]): void {
    const { pages } = this.#of(member);
    const room = core.config.applyBytesMax - pages.reduce((sum, bytes) => sum + bytes, 0);
    expectRule(room > 0, '20.31', `${member.id} hands out more than its budget`);
    // One entry always passes, and the storage may add some beyond what was asked for.
    const kept = sizes.slice(0, Math.max(1, sizes.length - member.store.overshoot));
    const bytes = kept.reduce((sum, each) => sum + each, 0);
    expectRule(kept.length === 1 || bytes <= room, '20.31', `${bytes} bytes in room for ${room}`);
  }
}

/** §20.26, §20.33: what a leader says is true when it says it. */
function checkEmitted(core: Raft, message: PeerMessage): void {
  const { kind, from, to } = message;
  const pledge =
    kind === 'append-response' || kind === 'vote-response' || kind === 'pre-vote-response';
  if (to === core.id || from === 0) expectRule(false, '20.33', `${kind} from ${from} to ${to}`);
  if (pledge) expectRule(false, '20.33', `${kind} of ${from} does not wait for the disk`);
  if (kind === 'heartbeat-request') {
    const match = core.progress.get(to)?.match ?? 0;
    const low = message.commit <= match && message.commit <= core.log.committed;
    expectRule(low, '20.26', `${from} tells ${to} of commit ${message.commit}, match ${match}`);
  } else if (kind === 'append-request') {
    const { previous, commit } = message;
    const known = core.log.term(previous.index) === previous.term;
    expectRule(known, '20.26', `${from} appends after ${previous.index}@${previous.term}`);
    expectRule(commit <= core.log.committed, '20.26', `${from} tells ${to} of commit ${commit}`);
  } else if (kind === 'pre-vote-request') checkCampaign(core);
}

function checkPledge(core: Raft, { kind }: PeerMessage): void {
  if (kind === 'vote-request') checkCampaign(core);
}

/** §20.38: learners, strangers and members that wait for a snapshot do not campaign. */
function checkCampaign({ id, role, configuration, log }: Raft): void {
  const may = isVoter(configuration, id) && log.pendingSnapshot === undefined;
  const asks = role === 'candidate' || role === 'pre-candidate';
  expectRule(may && asks, '20.38', `${id} campaigns as a ${role}`);
}
