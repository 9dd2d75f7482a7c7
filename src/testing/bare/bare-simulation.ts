/**
 * A group of bare cores on virtual time: the loop that lets messages arrive, writes finish, clocks
 * tick and processes die, one event after the other and without a promise. `simulateCores` is the
 * way in; this is what a run is made of.
 */
import { assert } from '../../base/assert.js';
import { isKontikiError } from '../../base/errors.js';
import { randomInt } from '../../base/prng.js';
import type { MemberId, PeerMessage, RawNode, Ready, Role } from '../../raft/index.js';
import { RaftChecker } from '../invariants/raft-checker.js';
import type { RaftInvariantMaker } from '../invariants/raft-invariants.js';
import type { RaftStep } from '../invariants/raft-step.js';
import { SimRandom } from '../sim-random.js';
import { BareDisk } from './bare-disk.js';
import { type BareFaults, noFaults } from './bare-faults.js';
import { BareMember, type CoreOptions } from './bare-member.js';
import { BareNetwork } from './bare-network.js';
import { BarePlace } from './bare-place.js';
import { BareQueue } from './bare-queue.js';
import { BareTrace, eventKind } from './bare-trace.js';
import type { BareWorld } from './bare-world.js';
import { Coverage } from './coverage.js';
import { emptyState } from './hash-machine.js';
import { StepCoverage } from './step-coverage.js';

/**
 * @since 0.1.0
 */
export interface BareSimulationOptions {
  readonly seed: number;
  /** Everyone who may ever be a member, at most 15, ascending. */
  readonly ids: readonly MemberId[];
  /** The first voters. */
  readonly founders: readonly MemberId[];
  readonly faults: BareFaults;
  /** Rules to check; none: a run that only shows that nothing throws. */
  readonly checks: readonly RaftInvariantMaker[];
  /** Options of a member's core. */
  readonly core: (id: MemberId) => Omit<CoreOptions, 'random'>;
  /** Virtual milliseconds of a tick, by the member's own clock. */
  readonly tickMs: number;
  /** Virtual microseconds for which inputs are gathered before what they led to is taken. */
  readonly turnUs: number;
  /** Whether everything handed out is deep-frozen. */
  readonly freezes: boolean;
  readonly traceLines: number;
  /** Told of every node before it does anything; tests plant defects here. */
  readonly onNode?: ((node: RawNode) => void) | undefined;
}

const {
  deliver,
  tick,
  append,
  apply,
  fetch,
  'go-on': goOn,
  ready: takeReady,
  report,
  restart,
} = eventKind;

/** Refusals of inputs that are no failure. */
const refusals: ReadonlySet<string> = new Set([
  'MEMBER_UNKNOWN',
  'NOT_LEADER',
  'NO_LEADER',
  'OVERLOADED',
  'PROPOSAL_DROPPED',
]);

/** Inputs of a member between two checks of everything its core asserts of itself. */
const inputsPerCheck = 64;

/**
 * One run.
 *
 * @since 0.1.0
 */
export class BareSimulation implements BareWorld {
  readonly queue = new BareQueue();
  readonly network: BareNetwork;
  readonly trace: BareTrace;
  readonly coverage = new Coverage();
  readonly checker: RaftChecker;
  readonly steps: StepCoverage;
  readonly options: BareSimulationOptions;
  readonly freezes: boolean;
  faults: BareFaults;
  events = 0;
  /** Handles what the members themselves know nothing of: clients, faults, upkeep. */
  onOther: (kind: number, payload: unknown) => void = () => {};
  readonly members: BareMember[] = [];
  readonly #places: BarePlace[] = [];
  readonly #at = new Map<MemberId, number>();
  readonly #isChecked: boolean;
  #nextRead = 1;

  /**
   * @param options - see {@link BareSimulationOptions}
   */
  constructor(options: BareSimulationOptions) {
    const { seed, ids, founders, faults, checks } = options;
    assert(ids.length <= 15, `at most 15 members: ${ids.length}`);
    this.options = options;
    this.faults = faults;
    this.freezes = options.freezes;
    this.#isChecked = checks.length > 0;
    this.trace = new BareTrace(options.traceLines);
    this.network = new BareNetwork(seed, ids.length);
    this.network.configure(faults);
    const state = emptyState({ voters: founders });
    for (const id of ids) {
      const member = new BareMember(this, { id, store: new BareDisk([]), state });
      this.#at.set(id, this.#places.length);
      this.members.push(member);
      const at = this.#places.length;
      this.#places.push(new BarePlace(member, at, { seed, driftPpm: faults.driftPpm }));
    }
    const members = this.members.map(({ view }) => view);
    const { configuration } = state;
    this.checker = new RaftChecker({ members, start: { configuration }, invariants: checks });
    this.steps = new StepCoverage(this.coverage, this.checker.facts);
    for (let at = 0; at < ids.length; at += 1) this.start(at);
  }

  get nowUs(): number {
    return this.queue.timeUs;
  }

  /** Position of the leader of the newest term that is up; -1 for none. */
  get leaderAt(): number {
    let found = -1;
    let term = 0;
    for (const { member, at } of this.#places) {
      const { node } = member;
      if (node === undefined || node.role !== 'leader' || node.term <= term) continue;
      found = at;
      term = node.term;
    }
    return found;
  }

  /**
   * Lets time pass.
   *
   * @param untilUs - virtual microseconds since the start of the run
   */
  runTo(untilUs: number): void {
    const { queue } = this;
    while (queue.nextUs <= untilUs) {
      queue.next();
      this.#handle();
    }
    queue.timeUs = untilUs;
  }

  #handle(): void {
    const { kind, at, life, payload, timeUs } = this.queue;
    if (at < 0) {
      this.events += 1;
      this.trace.add(timeUs, kind, at, 0);
      this.onOther(kind, payload);
      return;
    }
    const place = this.#places[at] as BarePlace;
    if (life !== place.life && kind !== deliver && kind !== restart) return;
    if (timeUs < place.pausedUntilUs) {
      this.queue.push(place.pausedUntilUs, kind, at, life, payload);
      return;
    }
    this.events += 1;
    this.#dispatch(place, kind, payload);
    const { node } = place.member;
    if (node !== undefined) this.#turn(place);
    const state = node === undefined ? 0 : node.term * 2 ** 32 + place.member.view.commit;
    this.trace.add(timeUs, kind, at, state);
  }

  /** Takes what the inputs of the event led to; members in synchronous mode go on by themselves. */
  #turn(place: BarePlace): void {
    const { turnUs } = this.options;
    const { member } = place;
    if (turnUs === 0) {
      if (member.node?.hasReady() === true) member.takeReady();
    } else if (!place.isDue && member.turn === undefined && member.node?.hasReady() === true) {
      place.isDue = true;
      this.queue.push(this.nowUs + turnUs, takeReady, place.at, place.life, undefined);
    }
  }

  #dispatch(place: BarePlace, kind: number, payload: unknown): void {
    const { member } = place;
    switch (kind) {
      case deliver:
        this.#deliver(place, payload as PeerMessage);
        break;
      case tick:
        this.#tick(place);
        break;
      case append:
        member.completeAppend(randomInt(place.disk, 2) === 0);
        break;
      case apply:
        member.completeApply();
        break;
      case fetch:
        member.completeFetch();
        break;
      case goOn:
        this.#goOn(place);
        break;
      case takeReady:
        place.isDue = false;
        member.takeReady();
        break;
      case report: {
        const { to, arrived } = payload as { readonly to: MemberId; readonly arrived: boolean };
        member.input((node) => node.reportSnapshot(to, arrived));
        break;
      }
      case restart:
        if (member.node === undefined) this.start(place.at);
        break;
      default:
        assert(false, `no event of kind ${kind} is about a member`);
    }
  }

  #deliver(place: BarePlace, message: PeerMessage): void {
    const { member } = place;
    const isUp = member.node !== undefined;
    if (message.kind === 'snapshot-request') this.#report(message, isUp);
    if (!isUp) return;
    if (message.kind === 'propose-request' && message.from === member.id) {
      // Passed on by a follower to the leader it knows, which is who passed it on first. A core
      // takes no message of its own; the proposal is lost, as passed-on proposals may be.
      this.coverage.count('proposalsReturned');
      return;
    }
    this.trace.line(this.nowUs, () => `${member.id} <- ${JSON.stringify(message)}`);
    this.observe({ kind: 'received', atUs: this.nowUs, member: member.view, message });
    if (this.#attempt(() => member.step(message))) return;
    this.observe({ kind: 'state', atUs: this.nowUs, member: member.view });
  }

  /** Whether an input was taken; anything but a refusal passes through. */
  #attempt(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      if (isKontikiError(error) && refusals.has(error.code)) return false;
      throw error;
    }
  }

  #report({ from, to }: PeerMessage, arrived: boolean): void {
    const place = this.#places[this.#at.get(from) as number];
    if (place?.member.node === undefined) return;
    this.queue.push(this.nowUs, report, place.at, place.life, { to, arrived });
  }

  #tick(place: BarePlace): void {
    const { member, clock } = place;
    const nowMs = clock.nowMs(this.nowUs);
    member.input((node) => node.tick(nowMs));
    this.#scheduleTick(place);
  }

  #scheduleTick({ clock, at, life }: BarePlace): void {
    const dueUs = this.nowUs + clock.virtualUs(this.options.tickMs * 1_000);
    this.queue.push(dueUs, tick, at, life, undefined);
  }

  /** Starts a member's process; again, too. */
  start(at: number): void {
    const place = this.#places[at] as BarePlace;
    const { member } = place;
    const { seed, core } = this.options;
    place.begin(this.nowUs, this.faults.crashEffects);
    const entity = [member.id, place.life];
    this.trace.line(this.nowUs, () => `${member.id} starts`);
    const random = new SimRandom({ seed, stream: 'election', entity });
    member.start({ ...core(member.id), random });
    this.#scheduleTick(place);
  }

  /**
   * Kills a member's process; it is back later.
   *
   * @param forUs - virtual microseconds until it starts again
   */
  crash(at: number, forUs: number): void {
    const place = this.#places[at] as BarePlace;
    const { member, disk } = place;
    if (member.node === undefined) return;
    const { openWrites } = member.store;
    this.trace.line(this.nowUs, () => `${member.id} crashes, ${openWrites} writes open`);
    place.life += 1;
    place.pausedUntilUs = 0;
    const survivors = randomInt(disk, openWrites + 1);
    member.crash(survivors, randomInt(disk, member.applied + 1), randomInt(disk, 4));
    this.queue.push(this.nowUs + forUs, restart, at, place.life, undefined);
  }

  /** A member's process stands still. */
  pause(at: number, forUs: number): void {
    (this.#places[at] as BarePlace).pausedUntilUs = this.nowUs + forUs;
  }

  /** A member's disk is slow. */
  slowDown(at: number, forUs: number): void {
    (this.#places[at] as BarePlace).slowUntilUs = this.nowUs + forUs;
  }

  /** Ends every fault: all links, disks and processes are well from here on. */
  heal(): void {
    this.faults = { ...noFaults, driftPpm: this.faults.driftPpm };
    this.network.heal();
    this.network.configure(this.faults);
    for (const place of this.#places) {
      place.effectsLeft = Infinity;
      place.pausedUntilUs = 0;
      place.slowUntilUs = 0;
      if (place.member.node === undefined) this.start(place.at);
    }
    this.checker.observe({ kind: 'healed', atUs: this.nowUs });
  }

  /**
   * Makes an input of a member that may be refused, now.
   *
   * @param at - position of the member; -1 for nobody
   * @returns whether somebody took it: not a member that is down or stands still
   */
  inputAt(at: number, act: (node: RawNode) => void): boolean {
    const place = this.#places[at];
    if (place?.member.node === undefined || this.nowUs < place.pausedUntilUs) return false;
    const isTaken = this.#attempt(() => place.member.input(act));
    this.#turn(place);
    return isTaken;
  }

  /** Asks a member for a linearizable read. */
  readAt(at: number): void {
    const { member, clock } = this.#places[at] as BarePlace;
    if (member.node === undefined || member.node.leader === 0) return;
    const read = this.#nextRead;
    this.#nextRead += 1;
    this.observe({ kind: 'read-asked', atUs: this.nowUs, member: member.view, read });
    const nowMs = clock.nowMs(this.nowUs);
    if (this.inputAt(at, (node) => node.readIndex(read, nowMs))) this.coverage.count('reads');
  }

  observe(step: RaftStep): void {
    this.steps.observe(step);
    this.checker.observe(step);
  }

  /** An effect is about to happen or has just happened; false when the process died instead. */
  #effect(member: BareMember): boolean {
    const place = this.#places[this.#at.get(member.id) as number] as BarePlace;
    place.effectsLeft -= 1;
    if (place.effectsLeft > 0) return true;
    this.coverage.count('crashesBetweenEffects');
    this.crash(place.at, 1_000 * (1 + randomInt(place.disk, 1_000)));
    return false;
  }

  send(member: BareMember, message: PeerMessage): void {
    if (!this.#effect(member)) return;
    const to = this.#at.get(message.to);
    const from = this.#at.get(member.id) as number;
    if (to === undefined) return;
    const { network, nowUs } = this;
    const isLost = network.loses(from, to);
    if (isLost) {
      if (message.kind === 'snapshot-request') this.#report(message, false);
    } else {
      this.queue.push(network.arrivalUs(from, to, nowUs), deliver, to, 0, message);
      if (network.doubles(from, to)) {
        this.queue.push(network.arrivalUs(from, to, nowUs), deliver, to, 0, message);
      }
    }
    this.#effect(member);
  }

  onNode(_: BareMember, node: RawNode): void {
    this.options.onNode?.(node);
  }

  onInput(member: BareMember): void {
    if (!this.#isChecked) return;
    const place = this.#places[this.#at.get(member.id) as number] as BarePlace;
    place.inputs += 1;
    if (place.inputs % inputsPerCheck === 0) member.up.check();
  }

  onReady(member: BareMember, ready: Ready): void {
    const place = this.#places[this.#at.get(member.id) as number] as BarePlace;
    const { at, life } = place;
    const { softState } = ready;
    if (softState !== undefined) this.#onRole(member, softState.role);
    for (let count = ready.fetch.length; count > 0; count -= 1) {
      this.queue.push(
        this.nowUs + place.writeUs(this.nowUs, this.faults),
        fetch,
        at,
        life,
        undefined,
      );
    }
    if (member.sync) {
      this.queue.push(
        this.nowUs + place.writeUs(this.nowUs, this.faults),
        goOn,
        at,
        life,
        undefined,
      );
    } else {
      if (ready.append !== undefined) {
        place.writtenUs = Math.max(
          place.writtenUs,
          this.nowUs + place.writeUs(this.nowUs, this.faults),
        );
        this.queue.push(place.writtenUs, append, at, life, undefined);
      }
      if (ready.apply !== undefined) {
        place.appliedUs = Math.max(place.appliedUs, this.nowUs + place.applyUs(this.faults));
        this.queue.push(place.appliedUs, apply, at, life, undefined);
      }
    }
    this.#effect(member);
  }

  #onRole({ id, up }: BareMember, role: Role): void {
    this.trace.line(this.nowUs, () => `${id} is a ${role} of term ${up.term}`);
  }

  /** Synchronous mode: write and send when the write is done, apply and advance when that is. */
  #goOn({ member, at, life, disk }: BarePlace): void {
    const { turn } = member;
    if (turn === undefined) return;
    const wasWritten = turn.written;
    member.goOn(randomInt(disk, 2) === 0);
    if (member.turn === turn) member.goOn(true);
    if (wasWritten || member.turn !== turn) return;
    const [, applyUs] = this.faults.applyUs;
    this.queue.push(this.nowUs + applyUs, goOn, at, life, undefined);
  }

  onAnswer(): void {}

  count(name: string): void {
    this.coverage.count(name);
  }
}
