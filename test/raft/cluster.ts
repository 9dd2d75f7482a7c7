/**
 * A whole Raft group in memory, driven one event at a time: the caller decides which message
 * arrives, which write finishes, who ticks and who crashes. Nothing happens by itself, so a seed or
 * a list of calls replays exactly. Every event is checked by {@link ClusterChecker}.
 */
import { isKontikiError } from '../../src/base/errors.js';
import { Prng, type Random, randomInt } from '../../src/base/prng.js';
import {
  type IndexRange,
  type MemberId,
  type Message,
  type PeerMessage,
  type RaftOptions,
  RawNode,
  type StorageApply,
} from '../../src/raft/index.js';
import { ClusterChecker } from './cluster-checker.js';
import { MemberStore } from './member-store.js';

export type MemberOptions = Partial<Omit<RaftOptions, 'id' | 'reader' | 'applied' | 'random'>>;

export interface ClusterOptions {
  readonly ids: readonly MemberId[];
  readonly random?: Random;
  /** Asked at every start of a member. */
  readonly options?: (id: MemberId) => MemberOptions;
  /** What a member's disk holds at first. */
  readonly stores?: ReadonlyMap<MemberId, MemberStore>;
  /** Leave it to the caller when `ready` is taken; default: after every input. */
  readonly lazy?: boolean;
}

/** A process with its disk and state machine. `node` is absent while it is down. */
export class Member {
  readonly id: MemberId;
  readonly store: MemberStore;
  node: RawNode | undefined;
  applies: StorageApply[] = [];
  fetches: IndexRange[] = [];
  /** Last index the state machine has, and the last that a crash would leave. */
  applied = 0;
  durableApplied = 0;

  constructor(id: MemberId, store: MemberStore) {
    this.id = id;
    this.store = store;
  }

  get up(): RawNode {
    if (this.node === undefined) throw new Error(`member ${this.id} is down`);
    return this.node;
  }
}

export class Cluster {
  readonly members: readonly Member[];
  readonly checker: ClusterChecker;
  readonly #options: ClusterOptions;
  readonly #random: Random;
  readonly #lazy: boolean;
  #nextRead = 1;
  /** In flight, oldest first. */
  network: PeerMessage[] = [];
  /** Messages that the network loses, asked at delivery. */
  loses: (message: PeerMessage) => boolean = () => false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#random = options.random ?? new Prng(1);
    this.#lazy = options.lazy ?? false;
    this.members = options.ids.map(
      (id) => new Member(id, options.stores?.get(id) ?? new MemberStore(options.ids)),
    );
    this.checker = new ClusterChecker(this.members);
    for (const member of this.members) this.start(member.id);
  }

  member(id: MemberId): Member {
    const member = this.members.find((each) => each.id === id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  node(id: MemberId): RawNode {
    return this.member(id).up;
  }

  get running(): readonly Member[] {
    return this.members.filter((member) => member.node !== undefined);
  }

  get leaders(): readonly Member[] {
    return this.running.filter((member) => member.up.status().role === 'leader');
  }

  start(id: MemberId): void {
    const member = this.member(id);
    if (member.node !== undefined) throw new Error(`member ${id} is up`);
    member.applied = member.durableApplied;
    member.store.raiseCommit(member.applied);
    member.node = new RawNode({
      ...this.#options.options?.(id),
      id,
      reader: member.store,
      random: this.#random,
      applied: member.applied,
    });
    this.checker.onRestart(member);
    this.#after(member);
  }

  /**
   * Kills a process.
   *
   * @param survivors - writes under way that reach the disk nevertheless
   * @param applied - where the state machine's durable part ends, at most
   */
  crash(id: MemberId, survivors = 0, applied = 0): void {
    const member = this.member(id);
    member.node = undefined;
    member.applies = [];
    member.fetches = [];
    member.store.crash(survivors);
    member.durableApplied = Math.max(member.durableApplied, Math.min(applied, member.applied));
    this.checker.onDurable(member);
  }

  tick(id: MemberId): void {
    this.#input(id, (node) => node.tick());
  }

  campaign(id: MemberId): void {
    this.#input(id, (node) => node.campaign());
  }

  /** Proposes; false when the member is no leader or has too much under way. */
  propose(id: MemberId, ...commands: readonly string[]): boolean {
    let taken = true;
    this.#input(id, (node) => {
      try {
        node.propose(commands.map((command) => new TextEncoder().encode(command)));
      } catch (error) {
        if (!isKontikiError(error, 'NOT_LEADER') && !isKontikiError(error, 'PROPOSAL_DROPPED')) {
          throw error;
        }
        taken = false;
      }
    });
    return taken;
  }

  /** Starts a read; false when the member knows no leader. */
  read(id: MemberId): boolean {
    const readId = this.#nextRead;
    this.#nextRead += 1;
    let taken = true;
    this.#input(id, (node) => {
      this.checker.onRead(this.member(id), readId);
      try {
        node.readIndex(readId);
      } catch (error) {
        if (!isKontikiError(error, 'NO_LEADER')) throw error;
        taken = false;
      }
    });
    return taken;
  }

  /** Delivers the message at a place in the network; `keep` leaves a copy there. */
  deliver(at = 0, keep = false): void {
    const message = this.network[at];
    if (message === undefined) throw new Error(`no message at ${at}`);
    if (!keep) this.network.splice(at, 1);
    if (this.loses(message) || this.member(message.to).node === undefined) return;
    this.#input(message.to, (node) => node.step(message));
  }

  /** Finishes the oldest write of a member and releases what waited for it. */
  completeAppend(id: MemberId, force = true): void {
    const member = this.member(id);
    const append = member.store.complete(force);
    if (append === undefined) return;
    this.checker.onDurable(member);
    for (const message of append.responses) this.#release(member, message);
  }

  #release(member: Member, message: Message): void {
    const local =
      message.kind === 'storage-append-response' || message.kind === 'storage-apply-response';
    if (!local) this.checker.onSend(member, message);
    if (local || message.to === member.id) {
      this.#input(member.id, (node) => node.step(freeze(message)));
    } else {
      this.network.push(freeze(message));
    }
  }

  completeApply(id: MemberId): void {
    const member = this.member(id);
    const apply = member.applies.shift();
    if (apply === undefined) return;
    this.checker.onApply(member, apply.entries, member.applied);
    member.applied += apply.entries.length;
    this.#release(member, apply.response);
  }

  completeFetch(id: MemberId): void {
    const member = this.member(id);
    const range = member.fetches.shift();
    if (range === undefined) return;
    member.store.load(range.lo);
    this.#input(id, (node) => node.entriesFetched(range));
  }

  /** Makes the state machine durable up to `index`, or as far as it is. */
  flush(id: MemberId, index = Infinity): void {
    const member = this.member(id);
    member.durableApplied = Math.max(member.durableApplied, Math.min(index, member.applied));
  }

  /** Drops entries up to `index` from memory, as far as they are known to be applied. */
  evict(id: MemberId, index: number): void {
    const { store, up } = this.member(id);
    store.evictedTo = Math.max(store.evictedTo, Math.min(index, up.status().applied));
  }

  #input(id: MemberId, act: (node: RawNode) => void): void {
    const member = this.member(id);
    act(member.up);
    this.#after(member);
  }

  #after(member: Member): void {
    member.up.check();
    this.checker.onStep(member, member.up.status());
    if (!this.#lazy) this.takeReady(member.id);
  }

  /** Takes what a member wants done and puts it under way. */
  takeReady(id: MemberId): void {
    const member = this.member(id);
    const node = member.up;
    if (!node.hasReady()) return;
    const ready = node.ready();
    node.check();
    if (ready.append !== undefined) {
      for (const entry of ready.append.entries) Object.freeze(entry);
      Object.freeze(ready.append.entries);
      this.checker.onAppend(member, ready.append);
      member.store.accept(ready.append);
    }
    this.checker.onReady(member, ready, node.status());
    if (ready.apply !== undefined) member.applies.push(ready.apply);
    member.fetches.push(...ready.fetch);
    for (const message of ready.messages) this.#release(member, message);
  }

  /** Whether a member has anything to do besides ticking. */
  #busy(member: Member): boolean {
    if (member.node === undefined) return false;
    const { store, applies, fetches, node } = member;
    return store.pendingAppends + applies.length + fetches.length > 0 || node.hasReady();
  }

  /** Carries everything out, in order, until nothing is left to do. */
  settle(roundsMax = 10_000): void {
    for (let round = 0; round < roundsMax; round += 1) {
      for (const { id } of this.running) this.work(id);
      for (let count = this.network.length; count > 0; count -= 1) this.deliver();
      if (this.network.length === 0 && !this.running.some((each) => this.#busy(each))) return;
    }
    throw new Error(`not quiet after ${roundsMax} rounds`);
  }

  /** Finishes all I/O that a member has under way. */
  work(id: MemberId): void {
    const { store, applies, fetches } = this.member(id);
    this.takeReady(id);
    while (store.pendingAppends > 0) this.completeAppend(id);
    while (applies.length > 0) this.completeApply(id);
    while (fetches.length > 0) this.completeFetch(id);
  }

  /** Lets a member campaign and everything settle; it must win. */
  elect(id: MemberId): void {
    this.campaign(id);
    this.settle();
    const { role } = this.node(id).status();
    if (role !== 'leader') throw new Error(`member ${id} is a ${role}`);
  }

  /** Cuts all links of some members to the others. */
  isolate(...ids: readonly MemberId[]): void {
    this.loses = ({ from, to }) => ids.includes(from) !== ids.includes(to);
  }

  heal(): void {
    this.loses = () => false;
  }

  /** Time passes everywhere, with everything settled between the ticks. */
  pass(ticks: number): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      for (const member of this.running) this.tick(member.id);
      this.settle();
    }
  }

  /** Terms of a member's log as accepted by its disk. */
  terms(id: MemberId): readonly number[] {
    return this.member(id).store.written.entries.map((entry) => entry.term);
  }

  /** A random running member. */
  pick(random: Random): Member | undefined {
    const { running } = this;
    return running.length === 0 ? undefined : running[randomInt(random, running.length)];
  }
}

/** Frozen through and through, except bytes, which JavaScript cannot freeze. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (!Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}
