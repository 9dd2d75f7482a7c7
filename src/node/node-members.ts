/**
 * The membership of a node, put together: who belongs to the group, who may talk to this member, what
 * the leader does about requests, and what callers ask for.
 */
import type { Clock, Timer, Timers } from '../base/clock.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { sleep } from '../base/sleep.js';
import type { MemberInfo } from '../codec/member-codec.js';
import {
  decodeInquiry,
  encodeJoinAnswer,
  encodeMembershipAnswer,
  type JoinQuestion,
} from '../codec/membership-codec.js';
import type { ConfState } from '../raft/configuration.js';
import type { RawNode } from '../raft/raw-node.js';
import { type Entry, type MemberId, noMember } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import type { MemberIdentity, Transport } from '../transport/transport.js';
import type { Pledge } from './known-peer.js';
import { MemberDirectory } from './member-directory.js';
import { Members } from './members.js';
import { type MemberStatus, Membership } from './membership.js';
import { MembershipLeader } from './membership-leader.js';
import type { JoiningInfo, NodeOptions } from './node-options.js';
import type { NodeObserver } from './observer.js';
import { PeerRegistry } from './peer-registry.js';
import type { Questions } from './questions.js';
import { Vouchers } from './vouchers.js';

/** @since 0.1.0 */
export interface NodeMembersParts {
  readonly identity: MemberIdentity;
  readonly raft: RawNode;
  readonly log: LogStore;
  /** What the node starts with. */
  readonly initial: ConfState;
  readonly options: Pick<NodeOptions, 'joining' | 'peerMemory'>;
  readonly questions: Questions;
  /** By a quorum: who belongs to the group must not rest on clocks, as lease reads do. */
  readonly readIndex: () => Promise<void>;
  /** Members that can be reached. */
  readonly linked: () => readonly MemberId[];
  readonly transport: Pick<Transport, 'inquire' | 'updatePeers'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly observer: Pick<NodeObserver, 'configured'>;
  /** Milliseconds without a leader before an election. */
  readonly electionMs: number;
  /** A turn is due. */
  readonly wake: () => void;
  readonly onChanged: (members: readonly MemberStatus[]) => void;
  /** This member has to stop. */
  readonly onFailed: (error: KontikiError) => void;
}

/** @since 0.1.0 */
export class NodeMembers {
  /** What callers ask for. */
  readonly calls: Members;
  readonly #parts: NodeMembersParts;
  readonly #membership: Membership;
  readonly #leader: MembershipLeader;
  readonly #peers: PeerRegistry;
  readonly #vouchers: Vouchers;
  /** Why this member has to stop once what is being applied is done. */
  #removed: { readonly led: boolean } | undefined;
  #lingering: Timer | undefined;
  #isClosed = false;
  /** When time passed last. */
  #tickedMs: number;
  /** When it went on after it stood still for longer than an election takes. */
  #awokeMs = Number.NEGATIVE_INFINITY;

  /** @throws {KontikiError} MEMBER_REMOVED; CONFIGURATION_INVALID, FRAME_INVALID, FORMAT_UNSUPPORTED */
  constructor(parts: NodeMembersParts) {
    this.#parts = parts;
    this.#tickedMs = parts.clock.monotonicMs();
    const { clock, identity, log, questions, raft, readIndex, timers } = parts;
    const initial = withNames(parts.initial, parts.options.joining?.founders);
    const { memberId } = identity;
    this.#membership = new Membership({
      ...{ memberId, raft, log, initial },
      onConfigured: (index, state) => parts.observer.configured(index, state),
      onChanged: () => this.#onChanged(),
      onRemoved: (led) => {
        this.#removed = { led };
      },
    });
    if (this.#membership.directory.removed.includes(memberId)) throw removedError(memberId);
    this.#peers = new PeerRegistry(identity, this.#view(), parts.options.peerMemory);
    this.#vouchers = new Vouchers({
      ...{ memberId, raft, questions, transport: parts.transport, linked: () => parts.linked() },
      hasMet: (id) => this.#peers.hasMet(id),
      addresses: () => this.#addresses,
    });
    this.#leader = new MembershipLeader({
      ...{ identity, raft, log, membership: this.#membership, peers: this.#peers, clock },
      ...{ electionMs: parts.electionMs, wake: parts.wake, readIndex },
    });
    const membership = this.#membership;
    this.calls = new Members({ memberId, membership, questions, readIndex, clock, timers });
    parts.transport.updatePeers(this.#addresses);
  }

  /** The identity as the others are told it: with the address they can answer to. */
  get identity(): MemberIdentity {
    const { identity } = this.#parts;
    const address = this.#membership.directory.get(identity.memberId)?.address;
    return address === undefined || address === '' ? identity : { ...identity, address };
  }

  /** Configuration at the last entry handed to the state machine, as it is stored and sent. */
  get state(): ConfState {
    return this.#membership.state;
  }

  /** See {@link Membership.beforeApply}. */
  beforeApply(entries: readonly Entry[]): Promise<unknown> | undefined {
    return this.#membership.beforeApply(entries);
  }

  /** A batch is applied, and everybody who waited for it was told. */
  applied(): void {
    this.#membership.applied();
    // A batch may end behind a close: nothing would cancel the timer.
    if (this.#isClosed || this.#removed === undefined || this.#lingering !== undefined) return;
    const stop = () => this.#parts.onFailed(removedError(this.#parts.identity.memberId));
    if (!this.#removed.led) return stop();
    // It may be the only one to know that its removal is committed; its answers to those who now want
    // to lead say so (semantics O4).
    this.#lingering = this.#parts.timers.after(2 * this.#parts.electionMs, stop);
  }

  /** See {@link Membership.installed}. */
  installed(state: ConfState): void {
    this.#membership.installed(state);
  }

  /** See {@link PeerRegistry.admit}. */
  admit(peer: MemberIdentity, probe: boolean): Promise<void> {
    return this.#peers.admit(peer, probe);
  }

  /** See {@link MembershipLeader.answer}. */
  answer(question: Uint8Array): Promise<Uint8Array> {
    return this.#leader.answer(question);
  }

  /** See {@link Vouchers.relay}. */
  relay(question: Uint8Array): Promise<Uint8Array> {
    return this.#vouchers.relay(question);
  }

  /**
   * Tells one that was added what it needs to begin, and one that nobody can answer otherwise whether
   * this member leads and knows a peer. Whoever asks may be anyone: nothing is remembered.
   */
  async answerInquiry(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const inquiry = decodeInquiry(bytes);
    if (inquiry.kind === 'vouch') {
      this.#peers.confirm(inquiry.peer);
      return encodeMembershipAnswer({ status: 'done', id: inquiry.peer.memberId });
    }
    const { options, raft } = this.#parts;
    const { joining } = options;
    if (joining === undefined) return undefined;
    if (inquiry.token !== joining.token) {
      return refuseJoin('CLUSTER_MISMATCH', 'this group has another token');
    }
    // Names are given again: an older list has the id of one that was removed.
    await (raft.role === 'leader' ? this.#confirmLead() : this.#catchUp());
    return this.#joinAnswer(inquiry, joining);
  }

  /**
   * Not for long: the quorum may need the very member that joins, which can begin by an older list, too. The
   * id of one that was removed is refused later. Without a leader as long: others that have one, and are asked
   * at the same time, come before with a newer list.
   */
  async #catchUp(): Promise<void> {
    const { electionMs, raft, readIndex, timers } = this.#parts;
    const answered = new AbortController();
    const over = () => answered.abort();
    if (raft.leader !== noMember) readIndex().then(over, over);
    await sleep(timers, electionMs / 5, answered.signal);
  }

  #joinAnswer({ name }: JoinQuestion, { founders }: JoiningInfo): Uint8Array {
    const { clusterId, memberId } = this.#parts.identity;
    const { directory } = this.#membership;
    const { members } = directory;
    const found = directory.named(name);
    if (found === undefined || found.id === memberId || !this.#membership.isMember) {
      return refuseJoin('MEMBER_UNKNOWN', `no member named ${name} was added to this group`);
    }
    // A group that began as a store nobody could reach got its address later.
    const began = founders.map((each) => {
      return each.address === ''
        ? { ...each, address: directory.get(each.id)?.address ?? '' }
        : each;
    });
    const ids = { clusterId, memberId: found.id };
    return encodeJoinAnswer({ kind: 'member', ...ids, founders: began, members });
  }

  /** Time passes; before the core's own tick. */
  tick(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - this.#tickedMs > this.#parts.electionMs) this.#awokeMs = nowMs;
    this.#tickedMs = nowMs;
    this.#peers.tick(nowMs);
    this.#leader.tick();
  }

  /** Ends every call with `error`; asks for nothing more. */
  close(error: KontikiError): void {
    this.#isClosed = true;
    this.#lingering?.cancel();
    this.calls.close(error);
  }

  /** See {@link PeerRegistry.setAside}. */
  setAside(): void {
    this.#peers.setAside();
  }

  /** Remembers no more peers; resolves once nothing is being saved. */
  idle(): Promise<void> {
    return this.#peers.close();
  }

  #onChanged(): void {
    const { onChanged, transport, wake } = this.#parts;
    transport.updatePeers(this.#addresses);
    onChanged(this.#membership.list());
    wake();
  }

  /** One that joins hears from the members first: those it was founded with may be long gone. */
  get #addresses(): ReadonlyMap<MemberId, string | undefined> {
    return this.#membership.isMember ? this.#membership.directory.addresses : new Map();
  }

  /**
   * A leader that hears of no quorum steps down within an election timeout, unless its process stood
   * still: then, and a while after, it has to ask. Not always, for the quorum may need the very peer that
   * is to be let in.
   */
  async #confirmLead(): Promise<void> {
    const { clock, electionMs, raft, readIndex } = this.#parts;
    const { term } = raft;
    const nowMs = clock.monotonicMs();
    const stoodStill = nowMs - this.#tickedMs > electionMs;
    if (!stoodStill && nowMs - this.#awokeMs > 2 * electionMs) return;
    await readIndex();
    if (raft.role === 'leader' && raft.term === term) return;
    throw kontikiError('LEADER_CHANGED', 'node: this member leads no more');
  }

  #view() {
    const { log, options, raft } = this.#parts;
    const membership = this.#membership;
    return {
      isMember: (id: MemberId) => membership.directory.get(id) !== undefined,
      isRemoved: (id: MemberId) => membership.isRemoved(id),
      hasHistory: () => raft.status().commit > (options.peerMemory.foundedIndex ?? 0),
      leads: () => raft.role === 'leader' && log.term(raft.status().commit) === raft.term,
      confirmLead: () => this.#confirmLead(),
      pledges: () => pledgesOf(raft),
      vouch: (peer: MemberIdentity, probe: boolean) => this.#vouchers.ask(peer, probe),
    };
  }
}

/**
 * What others must have on stable storage: a leader its term and own vote, before it asked for others;
 * everyone who acknowledged entries to this leader the entries and the term.
 */
function pledgesOf(raft: RawNode): readonly Pledge[] {
  const { leader, role, term } = raft;
  if (role !== 'leader') return leader === noMember ? [] : [{ id: leader, term, lastIndex: 0 }];
  // Of the whole status only a leader has need, and this is asked with each tick.
  const { id: self, progress } = raft.status();
  const others = progress.filter(({ id, match }) => id !== self && match > 0);
  return others.map(({ id, match }) => ({ id, term, lastIndex: match }));
}

/** A log of before names were kept in it has seen no change: its members are the founders. */
function withNames(initial: ConfState, founders: readonly MemberInfo[] | undefined): ConfState {
  if (initial.context !== undefined || founders === undefined) return initial;
  return { ...initial, context: MemberDirectory.ofFounders(founders).encode() };
}

function refuseJoin(code: 'CLUSTER_MISMATCH' | 'MEMBER_UNKNOWN', message: string): Uint8Array {
  return encodeJoinAnswer({ kind: 'refused', code, message });
}

function removedError(memberId: MemberId): KontikiError {
  return kontikiError('MEMBER_REMOVED', `node: member ${memberId} was removed from its group`);
}
