/**
 * A whole Raft group in memory, driven one event at a time: the caller decides which message
 * arrives, which write finishes, who ticks and who crashes. Nothing happens by itself, so a seed or
 * a list of calls replays exactly. Every event is checked by {@link ClusterChecker}.
 */
import { isKontikiError } from '../../src/base/errors.js';
import { Prng, type Random, randomInt } from '../../src/base/prng.js';
import type {
  ConfChange,
  ConfChangeV2,
  MemberId,
  PeerMessage,
  RaftOptions,
  RawNode,
} from '../../src/raft/index.js';
import { coreOf } from '../../src/raft/raw-node.js';
import { BareMember } from '../../src/testing/bare/bare-member.js';
import type { BareWorld } from '../../src/testing/bare/bare-world.js';
import { emptyState } from '../../src/testing/bare/hash-machine.js';
import { ClusterChecker } from './cluster-checker.js';
import type { MemberStore } from './member-store.js';
import type { Clocks } from './random/clocks.js';
import { type Founding, foundersState, startingPoint } from './random/founding.js';

export { freeze } from '../../src/testing/bare/freeze.js';

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
  readonly members: readonly BareMember[];
  readonly checker: ClusterChecker;
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
    const world = this.#world();
    this.members = ids.map((id) => {
      const { store, state } = startingPoint(founding, founders, id);
      const given = stores?.get(id);
      const parts =
        given === undefined
          ? { id, store, state }
          : { id, store: given, state: emptyState(given.configuration) };
      return new BareMember(world, parts);
    });
    const state = foundersState(founding, founders);
    const entries = founding === 'bootstrap' ? founders.length : 0;
    this.checker = new ClusterChecker(this.members, state, entries);
    for (const { id } of this.members) if (founders.includes(id)) this.start(id);
  }

  /** Nothing happens by itself: what members want done waits in them and in `network`. */
  #world(): BareWorld {
    return {
      nowUs: 0,
      freezes: true,
      observe: (step) => this.checker.observe(step),
      send: (_, message) => void this.network.push(message),
      onNode: ({ id }, node) => {
        this.#options.onNode?.(node);
        this.#options.clocks?.start(id);
      },
      onInput: (member) => {
        this.checker.onInput(member);
        if (!this.#lazy) member.takeReady();
      },
      onReady: (member, ready) => this.checker.onReady(member, ready),
      onAnswer: (member) => this.checker.onAnswer(member),
      count: (name) => this.checker.coverage.count(name),
    };
  }

  member(id: MemberId): BareMember {
    const member = this.members.find((each) => each.id === id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  node(id: MemberId): RawNode {
    return this.member(id).up;
  }

  get running(): readonly BareMember[] {
    return this.members.filter((member) => member.node !== undefined);
  }

  get leaders(): readonly BareMember[] {
    return this.running.filter((member) => member.up.role === 'leader');
  }

  start(id: MemberId): void {
    const member = this.member(id);
    const options = this.#options.options?.(id) ?? {};
    const founders = this.#isToBootstrap(member) ? this.#founders : [];
    member.start({ ...options, random: this.#random }, founders);
  }

  #isToBootstrap({ id, store, applied }: BareMember): boolean {
    const founder = this.#options.founding === 'bootstrap' && this.#founders.includes(id);
    return founder && store.durable.lastIndex === 0 && applied === 0;
  }

  /** Kills a process: see `BareMember.crash`. */
  crash(id: MemberId, survivors = 0, applied = 0, parts = 0): void {
    this.member(id).crash(survivors, applied, parts);
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
      if (first === undefined) this.checker.coverage.count('forwarded');
    });
    if (taken && transferee !== 0) throw new Error('§20.28 proposed while handing over');
    return taken;
  }

  /** Proposes a change of the configuration. */
  change(id: MemberId, change: ConfChange | ConfChangeV2): boolean {
    return this.#try(id, (node) => {
      const appended = node.proposeConfChange(change);
      if (appended?.refused !== undefined) this.checker.coverage.count('refusedAtPropose');
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

  /** Starts a read; false when the member knows no leader. */
  read(id: MemberId): boolean {
    const readId = this.#nextRead;
    this.#nextRead += 1;
    const member = this.member(id).view;
    this.checker.observe({ kind: 'read-asked', atUs: 0, member, read: readId });
    return this.#try(id, (node) => {
      const states = this.checker.waitingReads(node);
      node.readIndex(readId, this.#options.clocks?.now(id));
      const at = this.checker.waitingReads(node) > states;
      if (at && node.configuration.voters.length > 1) this.checker.coverage.count('leaseReads');
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

  #input(id: MemberId, act: (node: RawNode) => void): void {
    this.member(id).input(act);
  }

  /** Whether a member has anything to do besides ticking. */
  #busy(member: BareMember): boolean {
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
    member.takeReady();
    for (let steps = 0; steps < 4; steps += 1) {
      if (member.turn?.sent !== true || applies) member.goOn(true);
    }
    while (!member.sync && member.store.pendingAppends > 0) member.completeAppend();
    while (applies && member.applies.length > 0) member.completeApply();
    while (member.fetches.length > 0) member.completeFetch();
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
  pick(random: Random): BareMember | undefined {
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
