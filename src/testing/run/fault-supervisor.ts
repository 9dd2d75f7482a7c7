/**
 * What keeps a run going between its faults: starts again what crashed or stopped by itself, ends
 * faults that are over, and keeps the damage within what a group can bear.
 */
import { isKontikiError } from '../../base/errors.js';
import { type Random, randomInt } from '../../base/prng.js';
import type { SimCluster, SimService } from '../cluster/sim-cluster.js';
import { type Fault, injectFault } from '../faults/fault.js';
import type { FaultContext, FaultTarget } from '../faults/fault-type.js';
import { Moments } from '../faults/moments.js';
import { SimRandom } from '../sim-random.js';

/** How often members are looked at, in virtual milliseconds. */
const lookMs = 250;

/** Codes of a member that found its own storage damaged. */
const damageCodes = [
  'WAL_CORRUPT',
  'STATE_CORRUPT',
  'SNAPSHOT_CORRUPT',
  'FORMAT_UNSUPPORTED',
  'MEMBER_IDENTITY_CHANGED',
] as const;

/** Of a disk that fails or is full: another start may do better. */
const passingCodes = ['STORAGE_IO', 'NO_SPACE', 'DIR_LOCKED', 'PORT_IN_USE'] as const;

/** @since 0.1.0 */
export class FaultSupervisor {
  readonly #cluster: SimCluster<SimService>;
  readonly #onViolation: (id: string, message: string) => void;
  /** What ends each fault that is under way. */
  readonly #ends = new Set<() => void>();
  readonly #moments = new Moments();
  readonly #damaged = new Set<string>();
  /** Their disks failed or were full. */
  readonly #failing = new Set<string>();
  /** Of {@link #damaged}: refused to start, and stay away. */
  readonly #lost = new Set<string>();
  #count = 0;

  /**
   * @param cluster - whose members it looks after
   * @param onViolation - told of what no fault excuses
   */
  constructor(cluster: SimCluster<SimService>, onViolation: (id: string, message: string) => void) {
    this.#cluster = cluster;
    this.#onViolation = onViolation;
    this.#after(lookMs, () => this.#look());
  }

  /** Looks on at all machines; after everyone else who observes, before any member starts. */
  observe(): void {
    for (const name of this.#cluster.names) this.#moments.observe(this.#cluster.machine(name));
  }

  /** Members that must take part once all is healed. */
  get owed(): readonly string[] {
    return this.#cluster.names.filter((name) => !this.#lost.has(name));
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
    for (const name of this.#cluster.names) this.#restart(name);
  }

  #context(random: Random): FaultContext {
    return {
      cluster: this.#cluster,
      random,
      resolve: (target) => this.#resolve(target, random),
      until: (ms, end) => this.#until(ms, end),
      onMoment: (moment, action) => this.#moments.next(moment, action),
      restart: (name) => this.#restart(name),
      mayDamage: (name) => this.#mayDamage(name),
      mayStop: (name) => void this.#failing.add(name),
    };
  }

  #resolve(target: FaultTarget, random: Random): string | undefined {
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

  #mayDamage(name: string): boolean {
    const most = Math.floor((this.#cluster.names.length - 1) / 2);
    if (!this.#damaged.has(name) && this.#damaged.size >= most) return false;
    this.#damaged.add(name);
    return true;
  }

  #restart(name: string): void {
    const machine = this.#cluster.machine(name);
    if (machine.running || this.#lost.has(name)) return;
    this.#cluster.start(name).catch((error: unknown) => this.#refused(name, error));
    this.#moments.reached(name, 'start');
  }

  /** A member did not open. Only damage that this run did excuses that for good. */
  #refused(name: string, error: unknown): void {
    if (passingCodes.some((code) => isKontikiError(error, code))) {
      this.#after(1_000, () => this.#restart(name));
      return;
    }
    const isDamage = damageCodes.some((code) => isKontikiError(error, code));
    if (isDamage && this.#damaged.has(name)) {
      this.#lost.add(name);
      return;
    }
    this.#onViolation('S1', `${name} does not open: ${describe(error)}`);
  }

  /** Members that stopped by themselves. */
  #look(): void {
    for (const name of this.#cluster.names) {
      const service = this.#cluster.find(name);
      if (service === undefined) continue;
      const { failure, lifecycle } = service.status();
      if (failure === undefined || lifecycle !== 'closed') continue;
      if (isKontikiError(failure, 'ASSERTION')) {
        this.#onViolation('ASSERTION', `${name} stopped: ${describe(failure)}`);
      } else if (!this.#damaged.has(name) && !this.#mayStop(name, failure)) {
        this.#onViolation('S1', `${name} stopped: ${describe(failure)}`);
      }
      this.#cluster.crash(name, 'process');
      this.#after(500, () => this.#restart(name));
    }
    this.#after(lookMs, () => this.#look());
  }

  /** Whether a fault that this member met excuses its end. */
  #mayStop(name: string, failure: Error): boolean {
    const isPassing = passingCodes.some((code) => isKontikiError(failure, code));
    return isPassing && this.#failing.has(name);
  }

  #after(ms: number, action: () => void): void {
    this.#cluster.sim.scheduler.after(Math.ceil(ms * 1_000), action);
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isKontikiError(error) ? `${error.code} ${error.message}` : (error.stack ?? error.message);
}
