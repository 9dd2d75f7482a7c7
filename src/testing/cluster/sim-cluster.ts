/**
 * A group of simulated machines that run the same service: what hand-written scenarios and whole runs
 * stand on.
 *
 * ```ts
 * const cluster = storeCluster({ seed: 7 });
 * await cluster.startAll();
 * await cluster.sim.complete(cluster.service('n1').put('a', '1'), 10_000);
 * cluster.crash('n1', 'process');
 * await cluster.sim.runUntil(() => cluster.leader() !== undefined, 10_000);
 * ```
 */
import { assert } from '../../base/assert.js';
import { kontikiError } from '../../base/errors.js';
import type { Env } from '../../node/env.js';
import type { Role } from '../../raft/types.js';
import type { CrashKind, SimMachine } from '../sim-machine.js';
import { Simulator, type SimulatorOptions } from '../simulator.js';

/** Where a member stands; a `Store` and a `Node`'s owner can both tell. @since 0.1.0 */
export interface SimStatus {
  readonly role: Role;
  readonly term: number;
  readonly lastIndex: number;
  readonly committedIndex: number;
  readonly appliedIndex: number;
  readonly lifecycle: 'open' | 'closing' | 'closed';
  /** Why it stopped by itself, if it did. */
  readonly failure?: Error | undefined;
}

/** What changes the membership; names of members, or ids. @since 0.1.0 */
export interface SimMembers {
  add(name: string, address: string, options?: SimMemberOptions): Promise<number>;
  remove(member: string | number, options?: SimCallOptions): Promise<void>;
  promote(member: string | number, options?: SimCallOptions): Promise<void>;
  update(member: string | number, address: string, options?: SimCallOptions): Promise<void>;
  replace(member: string | number, by: string | number, options?: SimCallOptions): Promise<void>;
  transferLeadership(member: string | number, options?: SimCallOptions): Promise<void>;
}

/** @since 0.1.0 */
export interface SimCallOptions {
  readonly timeoutMs?: number | undefined;
}

/** See `StoreMembers.add`. @since 0.1.0 */
export interface SimMemberOptions extends SimCallOptions {
  readonly voter?: boolean | undefined;
  readonly autoPromote?: boolean | undefined;
}

/** What runs on a machine. @since 0.1.0 */
export interface SimService {
  /** Absent: its group stays as it was founded. */
  readonly members?: SimMembers | undefined;
  status(): SimStatus;
  close(): Promise<void>;
}

/** Who a member is and where its data lies. @since 0.1.0 */
export interface SimPlace {
  readonly name: string;
  /** Data directory on the machine's disk. */
  readonly dir: string;
  /** Address of every founder by name; absent for a member that joins. */
  readonly cluster?: Readonly<Record<string, string>> | undefined;
  /** Of a member that joins: see `StoreOptions`. */
  readonly bootstrap?: 'existing' | undefined;
  readonly join?: readonly string[] | undefined;
  readonly listen?: string | undefined;
}

/** Opens the service of one member; runs inside the simulation. @since 0.1.0 */
export type OpenService<S extends SimService> = (env: Env, place: SimPlace) => Promise<S>;

/** @since 0.1.0 */
export interface SimClusterOptions<S extends SimService> extends SimulatorOptions {
  /** How many, named `n1`, `n2`, ..., or their names; default 3. */
  readonly members?: number | readonly string[] | undefined;
  readonly open: OpenService<S>;
}

/**
 * Members by name. Their promises settle only while virtual time runs: see `Simulator`.
 *
 * @since 0.1.0
 */
export class SimCluster<S extends SimService> {
  readonly sim: Simulator;
  readonly names: string[];
  /** Those that were there from the start. */
  /** Names of the members that the group was founded with. */
  readonly founders: readonly string[];
  /** Those that come to a group that is there, and whom they ask; default everybody else. */
  readonly #joining = new Map<string, readonly string[] | undefined>();
  readonly #listeners: ((machine: SimMachine) => void)[] = [];
  readonly #open: OpenService<S>;
  readonly #services = new Map<string, S>();

  /**
   * @param options - see {@link SimClusterOptions}
   */
  constructor(options: SimClusterOptions<S>) {
    const { members = 3, open, ...simulator } = options;
    this.sim = new Simulator(simulator);
    this.#open = open;
    this.names =
      typeof members === 'number'
        ? Array.from({ length: members }, (_, at) => `n${at + 1}`)
        : [...members];
    this.founders = [...this.names];
    for (const name of this.names) this.sim.machine(name);
  }

  /** Makes a machine for a member that will join, at the address `<name>:1`. It does not run yet. */
  addMachine(name: string): SimMachine {
    assert(!this.names.includes(name), `cluster: there is a '${name}' already`);
    this.joins(name);
    const machine = this.sim.machine(name);
    for (const listener of this.#listeners) listener(machine);
    return machine;
  }

  /**
   * From its next start on a member finds its data directory by joining the group, as one that was added
   * does.
   *
   * @param by - whom it asks; default everybody else
   */
  joins(name: string, by?: readonly string[]): void {
    this.#joining.set(name, by);
    if (!this.names.includes(name)) this.names.push(name);
  }

  /** One that joins asks everybody else from now on. */
  seeksAnyone(name: string): void {
    if (this.#joining.has(name)) this.#joining.set(name, undefined);
  }

  /** A machine belongs to the group no more; it does not run. */
  retire(name: string): void {
    assert(!this.machine(name).running, `cluster: '${name}' runs`);
    this.names.splice(this.names.indexOf(name), 1);
  }

  /** Calls back with every machine that there is, and with each that is added later, once. */
  onMachine(listener: (machine: SimMachine) => void): void {
    this.#listeners.push(listener);
    for (const name of this.names) listener(this.machine(name));
  }

  /** Where a member is reached: `<name>:1`, until it moves. */
  addressOf(name: string): string {
    return `${this.sim.network.hostOf(name)}:1`;
  }

  /** The machine of a member. */
  machine(name: string): SimMachine {
    this.#check(name);
    return this.sim.machine(name);
  }

  /**
   * The service of a member.
   *
   * @throws {KontikiError} ARGUMENT_INVALID, when that member does not run
   */
  service(name: string): S {
    const service = this.find(name);
    if (service !== undefined) return service;
    throw kontikiError('ARGUMENT_INVALID', `expected a member that runs, got '${name}'`);
  }

  /** The service of a member, if it runs. */
  find(name: string): S | undefined {
    this.#check(name);
    return this.#services.get(name);
  }

  /** Names of the members that run, in the order of {@link names}. */
  get running(): readonly string[] {
    return this.names.filter((name) => this.#services.has(name));
  }

  /**
   * Boots a machine and opens its member. What it rejects with is what opening rejected with; the
   * machine is then off again.
   */
  async start(name: string): Promise<S> {
    const machine = this.machine(name);
    const env = machine.boot();
    const life = machine.boots;
    try {
      const service = await this.#open(env, this.#place(machine));
      this.#services.set(name, service);
      return service;
    } catch (error) {
      if (machine.running && machine.boots === life) machine.crash('process');
      throw error;
    }
  }

  /**
   * Starts every member that does not run, and runs until all are open.
   *
   * @param maxMs - virtual milliseconds to wait at most; default 10,000
   */
  async startAll(maxMs = 10_000): Promise<void> {
    const down = this.names.filter((name) => !this.machine(name).running);
    await this.sim.complete(Promise.all(down.map((name) => this.start(name))), maxMs);
  }

  /** Ends a member's process, wherever it is: see `SimMachine.crash`. */
  crash(name: string, kind: CrashKind = 'power'): void {
    this.#services.delete(name);
    this.machine(name).crash(kind);
  }

  /** Closes a member in good order, and ends its process. */
  async stop(name: string): Promise<void> {
    const machine = this.machine(name);
    const life = machine.boots;
    await this.service(name).close();
    if (machine.running && machine.boots === life) this.crash(name, 'process');
  }

  /** The member that leads in the highest term, if any does. */
  leader(): string | undefined {
    let found: { readonly name: string; readonly term: number } | undefined;
    for (const [name, service] of this.#services) {
      const { role, term, lifecycle } = service.status();
      if (role !== 'leader' || lifecycle !== 'open') continue;
      if (found === undefined || term > found.term) found = { name, term };
    }
    return found?.name;
  }

  /** Whether all of these members, by default all that run, have applied the same log to its end. */
  isSettled(names: readonly string[] = [...this.#services.keys()]): boolean {
    const all = names.map((name) => this.service(name).status());
    const [first] = all;
    return all.every(
      ({ lastIndex, appliedIndex }) =>
        lastIndex === first?.lastIndex && appliedIndex === first.lastIndex,
    );
  }

  #place({ name, dir }: SimMachine): SimPlace {
    const place = { name, dir: `${dir}/member` };
    if (this.#joining.has(name)) {
      const others = this.names.filter((each) => each !== name);
      const join = (this.#joining.get(name) ?? others).map((each) => this.addressOf(each));
      return { ...place, bootstrap: 'existing', listen: this.addressOf(name), join };
    }
    return {
      ...place,
      cluster: Object.fromEntries(this.founders.map((each) => [each, `${each}:1`])),
    };
  }

  #check(name: string): void {
    const isKnown = this.founders.includes(name) || this.#joining.has(name);
    assert(isKnown, `cluster: ${this.names.join(', ')} have no '${name}'`);
  }
}
