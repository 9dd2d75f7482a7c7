/**
 * A whole cluster in one thread, on virtual time, from one seed.
 *
 * Each machine boots into an `Env`, the driver's only outside (DESIGN §4.2), so the same driver,
 * write-ahead log, write-behind and codec run here as in production. Equal seeds, with equal code,
 * give equal runs: compare `traceHash`.
 *
 * ```ts
 * const sim = new Simulator({ seed: 7, network: { path: { dropRate: 0.01 } } });
 * const machines = ['n1', 'n2', 'n3'].map((name) => sim.machine(name));
 * // Opening waits for virtual time, so it needs a run; `complete` runs until the promise settles.
 * const stores = await sim.complete(
 *   Promise.all(machines.map((machine) => open(machine.boot(), machine.dir))),
 *   5_000,
 * );
 * await sim.complete(stores[0].put('a', '1'), 10_000);
 *
 * sim.network.isolate('n1');
 * await sim.runUntil(() => stores.slice(1).some((store) => store.isLeader()), 10_000);
 * sim.network.heal();
 *
 * machines[1].crash();          // its pending promises never settle: drop every reference to them
 * await sim.run(100);
 * const again = await sim.complete(open(machines[1].boot(), machines[1].dir), 5_000);
 * ```
 *
 * Rules for callers. Never await a promise of simulated code without a run in progress: virtual time
 * stands still between runs, so it would not settle. Do nothing asynchronous outside the simulation
 * while a run is in progress. Keep no environment over a crash: call `boot` again. Member ids become
 * known to the network when a transport starts; until all peers have started, the others dial on.
 */
import { kontikiError } from '../base/errors.js';
import type { DiskLatency } from './sim-disk.js';
import { SimMachine } from './sim-machine.js';
import { SimNetwork, type SimNetworkOptions } from './sim-network.js';
import { type Hop, SimScheduler } from './sim-scheduler.js';

/**
 * @since 0.1.0
 */
export interface SimulatorOptions {
  /** Decides everything that is left to chance; any safe integer. */
  readonly seed: number;
  /** See {@link SimNetworkOptions}. */
  readonly network?: Pick<SimNetworkOptions, 'path' | 'linkTimeoutMs'> | undefined;
  /** Of every machine's disk; see {@link DiskLatency} for the defaults. */
  readonly diskLatency?: Partial<DiskLatency> | undefined;
  /** How many trace lines to keep for a failure; default 200. */
  readonly traceLines?: number | undefined;
  /** Lets pending microtasks run; default: one turn of the event loop. */
  readonly hop?: Hop | undefined;
}

/**
 * One simulated run.
 *
 * @since 0.1.0
 */
export class Simulator {
  readonly seed: number;
  readonly scheduler: SimScheduler;
  /** Its partitions, delays and losses may change at any time. */
  readonly network: SimNetwork;
  readonly #diskLatency: Partial<DiskLatency> | undefined;
  readonly #machines = new Map<string, SimMachine>();

  /**
   * @param options - see {@link SimulatorOptions}
   */
  constructor(options: SimulatorOptions) {
    const { seed, network, hop, traceLines } = options;
    this.seed = seed;
    this.#diskLatency = options.diskLatency;
    this.scheduler = new SimScheduler({ hop, traceLines });
    this.network = new SimNetwork({ ...network, scheduler: this.scheduler, seed });
  }

  /** Virtual milliseconds since the start. */
  get nowMs(): number {
    return this.scheduler.nowUs / 1_000;
  }

  /** Hash of everything that happened so far: equal for equal runs. */
  get traceHash(): string {
    return this.scheduler.traceHash;
  }

  /** Every machine so far, in the order in which they were made. */
  get machines(): readonly SimMachine[] {
    return [...this.#machines.values()];
  }

  /**
   * The machine of a name, made at the first call.
   *
   * @param name - also its address
   */
  machine(name: string): SimMachine {
    let machine = this.#machines.get(name);
    if (machine === undefined) {
      const { scheduler, network, seed } = this;
      machine = new SimMachine({ scheduler, network, seed, name, latency: this.#diskLatency });
      this.#machines.set(name, machine);
    }
    return machine;
  }

  /**
   * Lets virtual time pass.
   *
   * @param ms - virtual milliseconds
   * @throws whatever an event throws: no simulated callback may
   */
  async run(ms: number): Promise<void> {
    await this.scheduler.runTo(this.#afterMs(ms));
  }

  /**
   * Lets virtual time pass until a condition holds.
   *
   * @param condition - cheap and without effects; asked after every event
   * @param maxMs - virtual milliseconds to wait at most
   * @throws {KontikiError} TIMEOUT, with the seed and the newest trace lines
   */
  async runUntil(condition: () => boolean, maxMs: number): Promise<void> {
    if (await this.scheduler.runTo(this.#afterMs(maxMs), condition)) return;
    throw kontikiError('TIMEOUT', `condition not met in ${maxMs} virtual ms; ${this.describe()}`);
  }

  /**
   * Lets virtual time pass until a promise of simulated code settles.
   *
   * @param promise - not of a machine that crashes meanwhile
   * @param maxMs - virtual milliseconds to wait at most
   * @returns what it resolves with; rejects as it does
   * @throws {KontikiError} TIMEOUT, as `runUntil`
   */
  async complete<T>(promise: Promise<T>, maxMs: number): Promise<T> {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.runUntil(() => settled, maxMs);
    return promise;
  }

  /** Seed, time, hash and the newest trace lines, for a failure message. */
  describe(): string {
    const head = `seed ${this.seed} at ${this.nowMs} ms, trace ${this.traceHash}`;
    return [head, ...this.scheduler.traceLines].join('\n');
  }

  #afterMs(ms: number): number {
    return this.scheduler.nowUs + Math.ceil(ms * 1_000);
  }
}
