/**
 * A whole Raft group in memory, driven one event at a time: the caller decides which message
 * arrives, which write finishes, who ticks and who crashes. Nothing happens by itself, so a seed or
 * a list of calls replays exactly. Every event is checked by {@link ClusterChecker}.
 */
import { isKontikiError } from '../../src/base/errors.js';
import { Prng, type Random, randomInt } from '../../src/base/prng.js';
import {
  type ConfChange,
  type ConfChangeV2,
  decodeConfChange,
  type Entry,
  type MemberId,
  type Message,
  type PeerMessage,
  type RaftOptions,
  RawNode,
} from '../../src/raft/index.js';
import { coreOf } from '../../src/raft/raw-node.js';
import { ClusterChecker } from './cluster-checker.js';
import { Member } from './member.js';
import type { MemberStore } from './member-store.js';
import type { Clocks } from './random/clocks.js';
import { Coverage } from './random/coverage.js';
import { type Founding, foundersState, startingPoint } from './random/founding.js';
import { freeze } from './random/freeze.js';
import { isTurnedDown } from './random/history.js';
import { emptyState, snapshotOf } from './random/state-machine.js';

export { Member } from './member.js';
export { freeze } from './random/freeze.js';

export type MemberOptions = Partial<Omit<RaftOptions, 'id' | 'reader' | 'applied' | 'random'>>;

export interface ClusterOptions {
  /** Everyone who may ever be a member. */
  readonly ids: readonly MemberId[];
  /** The first voters; default everyone. */
  readonly founders?: readonly MemberId[];
  /** Default `fixed`. */
  readonly founding?: Founding;
  readonly random?: Random;
  /** Asked at every start of a member. */
  readonly options?: (id: MemberId) => MemberOptions;
  /** What a member's disk holds at first. */
  readonly stores?: ReadonlyMap<MemberId, MemberStore>;
  /** Leave it to the caller when `ready` is taken; default: after every input. */
  readonly lazy?: boolean;
  /** Clocks, for leases; default none. */
  readonly clocks?: Clocks;
  /** Told of every node before it does anything. */
  readonly onNode?: (node: RawNode) => void;
}

/** What becomes of a snapshot that was sent, on its way back to the sender. */
interface SnapshotReport {
  readonly at: MemberId;
  readonly about: MemberId;
  readonly arrived: boolean;
}

/** Refusals of what peers send, or what is proposed, that are no failure. */
const refusals = ['NOT_LEADER', 'PROPOSAL_DROPPED', 'MEMBER_UNKNOWN', 'NO_LEADER'] as const;

export class Cluster {
  readonly members: readonly Member[];
  readonly checker: ClusterChecker;
  readonly coverage = new Coverage();
  readonly #options: ClusterOptions;
  readonly #founders: readonly MemberId[];
  readonly #random: Random;
  readonly #lazy: boolean;
  #nextRead = 1;
  /** In flight, oldest first. */
  network: PeerMessage[] = [];
  reports: SnapshotReport[] = [];
  /** Messages that the network loses, asked at delivery. */
  loses: (message: PeerMessage) => boolean = () => false;

  constructor(options: ClusterOptions) {
    const { ids, founders = ids, founding = 'fixed', stores } = options;
    this.#options = options;
    this.#founders = founders;
    this.#random = options.random ?? new Prng(1);
    this.#lazy = options.lazy ?? false;
    this.members = ids.map((id) => {
      const { store, state } = startingPoint(founding, founders, id);
      const given = stores?.get(id);
      return given === undefined
        ? new Member(id, store, state)
        : new Member(id, given, emptyState(given.configuration));
    });
    this.checker = new ClusterChecker(this.members, foundersState(founding, founders));
    if (founding === 'bootstrap') this.checker.founders = founders.length;
    for (const { id } of this.members) if (founders.includes(id)) this.start(id);
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
    return this.running.filter((member) => member.up.role === 'leader');
  }

  start(id: MemberId): void {
    const member = this.member(id);
    if (member.node !== undefined) throw new Error(`member ${id} is up`);
    const { store, machine } = member;
    store.configuration = machine.state.configuration;
    store.raiseCommit(member.applied);
    const options = this.#options.options?.(id) ?? {};
    member.sync = options.asyncStorageWrites === false;
    const node = new RawNode({
      ...options,
      id,
      reader: store,
      random: this.#random,
      applied: member.applied,
      latestSnapshot: () => member.snapshot,
    });
    member.node = node;
    this.#options.onNode?.(node);
    this.#options.clocks?.start(id);
    if (this.#isToBootstrap(member)) {
      node.bootstrap(this.#founders.map((each) => ({ id: each })));
    }
    this.checker.onRestart(member);
    this.#after(member);
  }

  #isToBootstrap({ id, store, applied }: Member): boolean {
    const founder = this.#options.founding === 'bootstrap' && this.#founders.includes(id);
    return founder && store.durable.lastIndex === 0 && applied === 0;
  }

  /**
   * Kills a process.
   *
   * @param survivors - writes under way that reach the disk nevertheless
   * @param applied - where the state machine's durable part ends, at most
   * @param parts - of the write after the survivors: see `Image.take`
   */
  crash(id: MemberId, survivors = 0, applied = 0, parts = 0): void {
    const member = this.member(id);
    member.stop();
    member.machine.flush(applied);
    // The entries that make up the group are one record: half a group must not begin on its own.
    const torn = member.store.durable.lastIndex === 0 ? 0 : parts;
    member.store.crash(survivors, torn);
    member.machine.install(member.store.durable.snapshot);
    member.machine.crash();
    this.checker.onDurable(member);
  }

  tick(id: MemberId): void {
    const { clocks } = this.#options;
    clocks?.passTick(id);
    this.#input(id, (node) => node.tick(clocks?.now(id)));
  }

  campaign(id: MemberId): void {
    this.#input(id, (node) => node.campaign());
  }

  /** An input that may be refused; false then, and nothing has changed. */
  #try(id: MemberId, act: (node: RawNode) => void): boolean {
    let taken = true;
    this.#input(id, (node) => {
      const before = fingerprint(node);
      try {
        act(node);
      } catch (error) {
        if (!refusals.some((code) => isKontikiError(error, code))) throw error;
        taken = false;
        if (fingerprint(node) !== before) throw new Error('refused, but something changed');
      }
    });
    return taken;
  }

  /** Proposes; false when the member is no leader or has too much under way. */
  propose(id: MemberId, ...commands: readonly string[]): boolean {
    const { transferee } = coreOf(this.node(id));
    const taken = this.#try(id, (node) => {
      const first = node.propose(commands.map((command) => new TextEncoder().encode(command)));
      if (first === undefined) this.coverage.count('forwarded');
    });
    if (taken && transferee !== 0) throw new Error('§20.28 proposed while handing over');
    return taken;
  }

  /** Proposes a change of the configuration. */
  change(id: MemberId, change: ConfChange | ConfChangeV2): boolean {
    return this.#try(id, (node) => {
      const appended = node.proposeConfChange(change);
      if (appended?.refused !== undefined) this.coverage.count('refusedAtPropose');
    });
  }

  transfer(id: MemberId, transferee: MemberId): void {
    this.#input(id, (node) => node.transferLeader(transferee));
  }

  forgetLeader(id: MemberId): void {
    this.#input(id, (node) => node.forgetLeader());
  }

  reportUnreachable(id: MemberId, about: MemberId): void {
    this.#input(id, (node) => node.reportUnreachable(about));
  }

  /** Tells the sender of a snapshot what became of it. */
  report(at = 0): void {
    const [report] = this.reports.splice(at, 1);
    if (report === undefined || this.member(report.at).node === undefined) return;
    this.#input(report.at, (node) => node.reportSnapshot(report.about, report.arrived));
  }

  /** The state machine writes a snapshot of what it has. */
  takeSnapshot(id: MemberId): void {
    const member = this.member(id);
    if (member.applied > 0) member.snapshot = snapshotOf(member.machine.state);
  }

  /** Drops the beginning of the log, as far as it is durably applied and known to be. */
  compact(id: MemberId, index: number): void {
    const { store, machine, up } = this.member(id);
    const upTo = Math.min(index, machine.durable.index, coreOf(up).log.applied);
    if (upTo <= store.durable.base.index) return;
    store.compact(upTo);
    this.coverage.count('compactions');
  }

  /** Starts a read; false when the member knows no leader. */
  read(id: MemberId): boolean {
    const readId = this.#nextRead;
    this.#nextRead += 1;
    this.checker.onRead(this.member(id), readId);
    return this.#try(id, (node) => {
      const states = this.checker.waitingReads(node);
      node.readIndex(readId, this.#options.clocks?.now(id));
      const at = this.checker.waitingReads(node) > states;
      if (at && node.configuration.voters.length > 1) this.coverage.count('leaseReads');
    });
  }

  /** Delivers the message at a place in the network; `keep` leaves a copy there. */
  deliver(at = 0, keep = false): void {
    const message = this.network[at];
    if (message === undefined) throw new Error(`no message at ${at}`);
    const lost = this.loses(message) || this.member(message.to).node === undefined;
    if (!keep) this.drop(at, !lost);
    if (!lost) this.#try(message.to, (node) => node.step(message));
  }

  /** Takes a message out of the network; of a snapshot the sender hears. */
  drop(at: number, arrived = false): void {
    const [message] = this.network.splice(at, 1);
    if (message?.kind !== 'snapshot-request') return;
    this.reports.push({ at: message.from, about: message.to, arrived });
  }

  /** Finishes the oldest write of a member and releases what waited for it. */
  completeAppend(id: MemberId, force = true): void {
    const member = this.member(id);
    if (member.turn !== undefined) return this.#goOn(member, force);
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

  /** @param count - entries after which the state machine pauses within a page */
  completeApply(id: MemberId, count = Infinity): void {
    const member = this.member(id);
    if (member.turn !== undefined) return this.#goOn(member, true, count);
    const [apply] = member.applies;
    if (apply === undefined || !this.#apply(member, apply.entries, count)) return;
    member.applies.shift();
    this.checker.onAnswer(member);
    this.#release(member, apply.response);
  }

  /** Applies the next entries of a page; true when the page is done. */
  #apply(member: Member, entries: readonly Entry[], count: number): boolean {
    // A snapshot may have overtaken the page.
    const open = entries.filter(({ index }) => index > member.applied);
    if (open.length < entries.length && open.length === 0) this.coverage.count('overtaken');
    for (const entry of open.slice(0, count)) this.#applyEntry(member, entry);
    return open.length <= count;
  }

  #applyEntry(member: Member, entry: Entry): void {
    const { machine } = member;
    let refused: string | undefined;
    this.#input(member.id, (node) => {
      let { configuration } = machine.state;
      if (entry.type !== 'normal') {
        const change = decodeConfChange(entry);
        if (isTurnedDown(change)) this.coverage.count('turnedDown');
        else {
          if (coreOf(node).overtaken !== undefined) this.coverage.count('changesOvertaken');
          try {
            configuration = node.applyConfChange(change);
          } catch (error) {
            if (!isKontikiError(error, 'CONFIGURATION_INVALID')) throw error;
            refused = error.message;
          }
        }
      }
      machine.apply(entry, configuration);
      this.checker.onApply(member, entry, refused);
    });
  }

  /** Synchronous mode: the next step of the present `Ready`: write, send, apply, advance. */
  #goOn(member: Member, force: boolean, count = Infinity): void {
    const { turn, store } = member;
    if (turn === undefined) return;
    const { append, messages, apply } = turn.ready;
    if (!turn.written) {
      turn.written = true;
      if (append !== undefined) {
        store.complete(force);
        this.checker.onDurable(member);
      }
    } else if (!turn.sent) {
      turn.sent = true;
      for (const message of messages) this.#release(member, message);
      for (const message of append?.responses ?? []) this.#release(member, message);
    } else if (!turn.applied) {
      turn.applied = this.#apply(member, apply?.entries ?? [], count);
    } else {
      member.turn = undefined;
      if (apply !== undefined) this.checker.onAnswer(member);
      this.coverage.count('advances');
      this.#input(member.id, (node) => node.advance());
    }
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
    this.member(id).machine.flush(index);
  }

  /** Drops entries up to `index` from memory, as far as they are known to be applied. */
  evict(id: MemberId, index: number): void {
    const { store, up } = this.member(id);
    store.evictedTo = Math.max(store.evictedTo, Math.min(index, coreOf(up).log.applied));
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
    if (member.turn !== undefined || !node.hasReady()) return;
    const ready = freeze(node.ready());
    node.check();
    if (ready.append !== undefined) {
      this.checker.onAppend(member, ready.append);
      member.store.accept(ready.append);
    }
    this.checker.onReady(member, ready, node.status());
    member.fetches.push(...ready.fetch);
    if (member.sync) {
      member.turn = { ready, written: false, sent: false, applied: false };
      return;
    }
    if (ready.apply !== undefined) member.applies.push(ready.apply);
    for (const message of ready.messages) this.#release(member, message);
  }

  /** Whether a member has anything to do besides ticking. */
  #busy(member: Member): boolean {
    if (member.node === undefined) return false;
    const { store, applies, fetches, node, turn } = member;
    const open = store.pendingAppends + applies.length + fetches.length;
    return open > 0 || turn !== undefined || node.hasReady();
  }

  /** Carries everything out, in order, until nothing is left to do. */
  settle(roundsMax = 10_000): void {
    for (let round = 0; round < roundsMax; round += 1) {
      for (const { id } of this.running) this.work(id);
      for (let count = this.network.length; count > 0; count -= 1) this.deliver();
      while (this.reports.length > 0) this.report();
      if (this.network.length === 0 && !this.running.some((each) => this.#busy(each))) return;
    }
    throw new Error(`not quiet after ${roundsMax} rounds`);
  }

  /** Finishes all I/O that a member has under way; without `applies` not the state machine's. */
  work(id: MemberId, applies = true): void {
    const member = this.member(id);
    this.takeReady(id);
    for (let steps = 0; steps < 4; steps += 1) {
      if (member.turn?.sent !== true || applies) this.#goOn(member, true);
    }
    while (!member.sync && member.store.pendingAppends > 0) this.completeAppend(id);
    while (applies && member.applies.length > 0) this.completeApply(id);
    while (member.fetches.length > 0) this.completeFetch(id);
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

/** What a refused input must not change. */
function fingerprint(node: RawNode): string {
  const { role, term, vote, leader, log, messages, afterPersist } = coreOf(node);
  const outbox = messages.length + afterPersist.length;
  return `${role} ${term} ${vote} ${leader} ${log.committed} ${log.lastIndex} ${outbox}`;
}
