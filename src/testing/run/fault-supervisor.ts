/**
 * What keeps a run going between its faults: starts again what crashed or stopped by itself, ends
 * faults that are over, and keeps the damage within what a group can bear.
 */
import { isErrorOf, isKontikiError } from '../../base/errors.js';
import { type Random, randomInt } from '../../base/prng.js';
import { MemberLedger } from '../changes/member-ledger.js';
import type { SimCluster, SimService } from '../cluster/sim-cluster.js';
import { errorText } from '../error-text.js';
import { type Fault, injectFault } from '../faults/fault.js';
import type { FaultContext, FaultTarget } from '../faults/fault-type.js';
import { Moments } from '../faults/moments.js';
import { SimRandom } from '../sim-random.js';
import { DurableStates } from './durable-states.js';

/** How often members are looked at, in virtual milliseconds. */
const lookMs = 250;

/** Codes of a member that found its own storage damaged, or was told that it is another one. */
const damageCodes = [
  'WAL_CORRUPT',
  'STATE_CORRUPT',
  'SNAPSHOT_CORRUPT',
  'FORMAT_UNSUPPORTED',
  'MEMBER_IDENTITY_CHANGED',
  'MEMBER_ROLLED_BACK',
] as const;

/** Of a disk that fails or is full: another start may do better. */
const passingCodes = ['STORAGE_IO', 'NO_SPACE', 'DIR_LOCKED', 'PORT_IN_USE'] as const;

/**
 * Of a member that joins: nobody knows it, or nobody answers; or it was told of the member whose name it
 * has now by one who does not know better yet.
 */
const joinCodes = [
  'MEMBER_IDENTITY_CHANGED',
  'MEMBER_REMOVED',
  'MEMBER_UNKNOWN',
  'TIMEOUT',
] as const;

/** Of one that lost its directory. */
const goneCodes = ['MEMBER_REMOVED', 'MEMBER_UNKNOWN', 'TIMEOUT'] as const;

/** @since 0.1.0 */
export class FaultSupervisor {
  readonly #cluster: SimCluster<SimService>;
  readonly #onViolation: (id: string, message: string) => void;
  /** What ends each fault that is under way. */
  readonly #ends = new Set<() => void>();
  readonly #moments = new Moments();
  readonly #states: DurableStates;
  readonly #damaged = new Set<string>();
  /** Their disks failed or were full. */
  readonly #failing = new Set<string>();
  /** Of {@link #damaged}: refused to start, and stay away. */
  readonly #lost = new Set<string>();
  /** Of {@link #damaged}: have come back as old copies, and must be refused. */
  readonly #rolledBack = new Set<string>();
  /** Stopped because they were removed. */
  readonly #removed = new Set<string>();
  /** Who belongs to the group. */
  readonly ledger = new MemberLedger();
  #count = 0;

  /**
   * @param cluster - whose members it looks after
   * @param onViolation - told of what no fault excuses
   */
  constructor(cluster: SimCluster<SimService>, onViolation: (id: string, message: string) => void) {
    this.#cluster = cluster;
    this.#onViolation = onViolation;
    this.#states = new DurableStates((name) => this.#damaged.has(name), onViolation);
    this.#after(lookMs, () => this.#look());
  }

  /** Looks on at all machines; after everyone else who observes, before any member starts. */
  observe(): void {
    this.#cluster.onMachine((machine) => {
      this.#moments.observe(machine);
      this.ledger.observe(machine);
      this.#states.observe(machine);
    });
  }

  /** Members that must take part once all is healed. */
  get owed(): readonly string[] {
    return this.#cluster.names.filter(
      (name) => !this.#lost.has(name) && this.ledger.isMember(name),
    );
  }

  /** Takes away who was removed and has not been told yet. */
  retireRemoved(): void {
    for (const name of [...this.#cluster.running]) {
      if (this.ledger.isMember(name) || !this.ledger.isRemoved(name)) continue;
      this.#cluster.crash(name, 'process');
      this.#cluster.retire(name);
    }
  }

  /** Members that are damaged for good. */
  get lost(): readonly string[] {
    return [...this.#lost];
  }

  /** Whether enough of those that vote are left, which alone owes anything. */
  get owesLiveness(): boolean {
    const lastIndex = (name: string) => this.#cluster.find(name)?.status().lastIndex ?? 0;
    return this.ledger.canElect((name) => this.#lost.has(name), lastIndex);
  }

  /** A member starts anew, as another one, with nothing of what was damaged. */
  renewed(name: string): void {
    this.#damaged.delete(name);
    this.#lost.delete(name);
    this.#rolledBack.delete(name);
  }

  /** Whether everyone who came back as an old copy was refused by the others: as one, or as one that was removed. */
  get refusesCopies(): boolean {
    const isAway = (name: string) => this.#lost.has(name) || !this.#cluster.names.includes(name);
    return [...this.#rolledBack].every(isAway);
  }

  /** Whether the rest could still decide if a member left the group: who is damaged may not start again. */
  mayLeave(name: string): boolean {
    const rest = this.ledger.voters.filter((each) => each !== name);
    return 2 * rest.filter((each) => this.#damaged.has(each)).length < rest.length;
  }

  /** Carries a fault out now. */
  inject(fault: Fault): void {
    this.#count += 1;
    const { sim } = this.#cluster;
    sim.scheduler.trace('fault', '', fault.kind);
    const entity = [fault.kind, this.#count];
    injectFault(fault, this.#context(new SimRandom({ seed: sim.seed, stream: 'fault', entity })));
  }

  /** Ends every fault and starts everyone who can. */
  heal(): void {
    for (const end of [...this.#ends]) end();
    this.#cluster.sim.network.heal();
    for (const name of this.#cluster.names) this.restart(name);
  }

  #context(random: Random): FaultContext {
    return {
      cluster: this.#cluster,
      random,
      resolve: (target) => this.resolve(target, random),
      until: (ms, end) => this.#until(ms, end),
      onMoment: (moment, action) => this.#moments.next(moment, action),
      restart: (name) => this.restart(name),
      mayDamage: (name) => this.mayDamage(name),
      mayRollBack: (name) => this.#mayRollBack(name),
      mayStop: (name) => void this.#failing.add(name),
    };
  }

  /** The member that a target stands for now: see `FaultContext`. */
  resolve(target: FaultTarget, random: Random): string | undefined {
    const { names } = this.#cluster;
    if (names.includes(target)) return target;
    const leader = this.#cluster.leader();
    if (target === 'leader') return leader;
    const others = target === 'follower' ? names.filter((name) => name !== leader) : names;
    return others[randomInt(random, Math.max(1, others.length))];
  }

  #until(ms: number, end: () => void): void {
    const once = () => {
      if (this.#ends.delete(once)) end();
    };
    this.#ends.add(once);
    this.#after(ms, once);
  }

  /** See `FaultContext.mayDamage`. */
  mayDamage(name: string): boolean {
    const { members, voters } = this.ledger;
    const most = Math.floor((voters.length - 1) / 2);
    const damaged = members.filter((each) => this.#damaged.has(each.name)).length;
    if (!this.#damaged.has(name) && damaged >= most) return false;
    this.#damaged.add(name);
    return true;
  }

  #mayRollBack(name: string): boolean {
    const may = this.ledger.isMember(name) && this.mayDamage(name);
    if (may) this.#rolledBack.add(name);
    return may;
  }

  /** Starts a member again, as often as it takes, unless it runs or is lost. */
  restart(name: string): void {
    const machine = this.#cluster.machine(name);
    if (machine.running || this.#lost.has(name) || !this.#cluster.names.includes(name)) return;
    this.#cluster.start(name).catch((error: unknown) => this.#refused(name, error));
    this.#moments.reached(name, 'start');
  }

  /** A member did not open. Only damage that this run did excuses that for good. */
  #refused(name: string, error: unknown): void {
    const isMember = this.ledger.isMember(name);
    if (isKontikiError(error, 'MEMBER_REMOVED') && this.ledger.isRemoved(name)) {
      if (!isMember) return this.#cluster.retire(name);
      // It was the one before under its name, and is to be the next.
      this.#cluster.machine(name).wipe();
    }
    const isDamaged = this.#damaged.has(name);
    const isLate = !isDamaged && !this.ledger.hasOpened(name) && isErrorOf(error, joinCodes);
    // One that lost its directory joins as it did at first: whom it asked then may be gone, or its id is.
    const isUnanswered = isDamaged && isErrorOf(error, goneCodes);
    const isPassing = isErrorOf(error, passingCodes);
    if (isLate || isUnanswered || isPassing) {
      this.#after(1_000, () => this.restart(name));
      return;
    }
    if (this.#isLost(name, error)) {
      this.#lost.add(name);
      return;
    }
    this.#onViolation('S1', `${name} does not open: ${errorText(error)}`);
  }

  /** Members that stopped by themselves. */
  #look(): void {
    for (const name of [...this.#cluster.names]) {
      const service = this.#cluster.find(name);
      if (service === undefined) continue;
      const { failure, lifecycle } = service.status();
      if (failure === undefined || lifecycle !== 'closed') continue;
      if (isKontikiError(failure, 'ASSERTION')) {
        this.#onViolation('ASSERTION', `${name} stopped: ${errorText(failure)}`);
      } else if (!this.#isExcused(name, failure)) {
        this.#onViolation('S1', `${name} stopped: ${errorText(failure)}`);
      }
      this.#cluster.crash(name, 'process');
      // It may come back with what is left of it, again and again.
      if (this.#isLost(name, failure)) this.#lost.add(name);
      if (this.#isGone(name, failure)) this.#cluster.retire(name);
      else this.#after(500, () => this.restart(name));
    }
    this.#after(lookMs, () => this.#look());
  }

  #isLost(name: string, error: unknown): boolean {
    return this.#damaged.has(name) && isErrorOf(error, damageCodes);
  }

  /** Told twice that it was removed: by its own log, and by the others after it came again. */
  #isGone(name: string, failure: Error): boolean {
    if (!isKontikiError(failure, 'MEMBER_REMOVED') || this.ledger.isMember(name)) return false;
    const isSecond = this.#removed.has(name);
    this.#removed.add(name);
    return isSecond;
  }

  /** Whether a fault that this member met excuses its end, or that it has left the group. */
  #isExcused(name: string, failure: Error): boolean {
    // Damage shows in many ways, but the code under test has a word for each.
    if (this.#damaged.has(name)) return isKontikiError(failure);
    if (isKontikiError(failure, 'MEMBER_REMOVED')) return this.ledger.isRemoved(name);
    const isPassing = isErrorOf(failure, passingCodes);
    return isPassing && this.#failing.has(name);
  }

  #after(ms: number, action: () => void): void {
    this.#cluster.sim.scheduler.after(Math.ceil(ms * 1_000), action);
  }
}
