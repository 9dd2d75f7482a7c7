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

/** What runs on a machine. @since 0.1.0 */
export interface SimService {
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
  readonly #founders: readonly string[];
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
    this.#founders = [...this.names];
    for (const name of this.names) this.sim.machine(name);
  }

  /** Makes a machine for a member that will join, at the address `<name>:1`. It does not run yet. */
  addMachine(name: string): SimMachine {
    assert(!this.names.includes(name), `cluster: there is a '${name}' already`);
    this.names.push(name);
    return this.sim.machine(name);
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

  /** Whether all members that run have applied the same log to its end. */
  isSettled(): boolean {
    const all = [...this.#services.values()].map((service) => service.status());
    const [first] = all;
    return all.every(
      ({ lastIndex, appliedIndex }) =>
        lastIndex === first?.lastIndex && appliedIndex === first.lastIndex,
    );
  }

  #place({ name, dir }: SimMachine): SimPlace {
    const place = { name, dir: `${dir}/member` };
    if (!this.#founders.includes(name)) {
      const others = this.names.filter((each) => each !== name);
      const join = others.map((each) => `${each}:1`);
      return { ...place, bootstrap: 'existing', listen: `${name}:1`, join };
    }
    return {
      ...place,
      cluster: Object.fromEntries(this.#founders.map((each) => [each, `${each}:1`])),
    };
  }

  #check(name: string): void {
    assert(this.names.includes(name), `cluster: ${this.names.join(', ')} have no '${name}'`);
  }
}
