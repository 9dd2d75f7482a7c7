/**
 * One simulated host: its disks, and the process that runs on it, life after life.
 */
import { assert } from '../base/assert.js';
import type { WireMessage } from '../codec/wire-message.js';
import type { Env } from '../node/env.js';
import type { NodeObserver } from '../node/observer.js';
import { Incarnation } from './incarnation.js';
import { SimClock, SimQuartz, SimTimers } from './sim-clock.js';
import { type DiskLatency, SimDisk } from './sim-disk.js';
import { SimEngineDisk } from './sim-engine-disk.js';
import type { SimNamespace } from './sim-namespace.js';
import type { SimNetwork } from './sim-network.js';
import { SimRandom } from './sim-random.js';
import type { SimScheduler } from './sim-scheduler.js';
import { SimTransport } from './sim-transport.js';
import type { StoredEngine } from './stored-engine.js';

/**
 * @since 0.1.0
 */
export interface SimMachineOptions {
  readonly scheduler: SimScheduler;
  readonly network: SimNetwork;
  /** Of the whole run. */
  readonly seed: number;
  readonly name: string;
  readonly latency?: Partial<DiskLatency> | undefined;
}

/**
 * How a process ends. `power`: the machine stops, unsynced data is kept, lost or torn by chance, and
 * peers hear nothing. `process`: the kernel lives on, keeps its page cache and resets connections.
 *
 * @since 0.1.0
 */
export type CrashKind = 'power' | 'process';

/**
 * What lies on the disks of a machine at some moment; see `SimMachine.copyDisks`.
 *
 * @since 0.1.0
 */
export interface DiskCopy {
  readonly files: SimNamespace;
  readonly engines: ReadonlyMap<string, StoredEngine>;
}

/**
 * Asserts the core's invariants and looks at nothing else; to be spread into other observers.
 *
 * @since 0.1.0
 */
export const assertingObserver: NodeObserver = {
  opened: ignore,
  proposed: ignore,
  received: ignore,
  stepped: (raft) => raft.check(),
  readAsked: ignore,
  readAnswered: ignore,
  writing: ignore,
  written: ignore,
  sent: ignore,
  configured: ignore,
  applied: ignore,
  installed: ignore,
};

/** What an engine takes of the disk for a write, or to be opened, in bytes. */
const engineRoomBytes = 4_096;

function ignore(): void {}

/**
 * A host; `Simulator.machine` makes it.
 *
 * @since 0.1.0
 */
export class SimMachine {
  readonly name: string;
  /** A folder that exists, durably, before the first boot. */
  readonly dir: string = 'data';
  /** Files; its fault methods may be called at any time. */
  readonly disk: SimDisk;
  /** Engines; lies beside the files, not in them. */
  readonly engineDisk: SimEngineDisk;
  /** Its clock, which may drift and be set. */
  readonly quartz: SimQuartz;
  /** Told what the node of this machine does, from the next boot on; default: it asserts the core's invariants. */
  observer: NodeObserver = assertingObserver;
  /** Told of each message that it hands to its transport, the driver's own included; default nobody. */
  onSend: ((message: WireMessage) => void) | undefined;
  /** Called when its process has ended: what that one still tells its observer did not happen. */
  onCrash: (() => void) | undefined;
  readonly #options: SimMachineOptions;
  #incarnation: Incarnation | undefined;
  #transport: SimTransport | undefined;
  #boots = 0;
  #wipes = 0;

  /**
   * @param options - see {@link SimMachineOptions}
   */
  constructor(options: SimMachineOptions) {
    const { seed, name, latency } = options;
    this.name = name;
    this.#options = options;
    this.disk = new SimDisk({ seed, machine: name, latency });
    this.disk.provide(this.dir);
    this.engineDisk = new SimEngineDisk({ seed, machine: name });
    this.disk.onRemove = (_path, unlinks) => this.engineDisk.remove(unlinks);
    this.disk.onUndone = (operations) => this.engineDisk.undo(operations);
    this.engineDisk.isFull = () => this.disk.usedBytes + engineRoomBytes > this.disk.byteBudget;
    this.quartz = new SimQuartz(options.scheduler);
    options.network.addMachine(name);
  }

  /** Whether a process runs: booted and not crashed since. */
  get running(): boolean {
    return this.#incarnation !== undefined;
  }

  /** Names of the machines that have taken the connections of its process, as far as they stand. */
  get linkedTo(): readonly string[] {
    return this.running ? (this.#transport as SimTransport).linkedTo : [];
  }

  /** How often it was booted. */
  get boots(): number {
    return this.#boots;
  }

  /** How often its data was lost, or gave way to a copy: whose it has now is another. */
  get wipes(): number {
    return this.#wipes;
  }

  /**
   * Starts a process: an environment that lasts until the next crash. A process that merely closed
   * its store still runs; end it with `crash('process')` before the next boot.
   */
  boot(): Env {
    assert(!this.running, `${this.name} runs already`);
    this.#boots += 1;
    const { scheduler, network, seed, name } = this.#options;
    const incarnation = new Incarnation(scheduler, { machine: name, number: this.#boots });
    const random = (stream: string): SimRandom =>
      new SimRandom({ seed, stream, entity: [name, incarnation.number] });
    this.#incarnation = incarnation;
    this.#transport = new SimTransport(network, incarnation);
    this.#transport.onSend = (message) => this.onSend?.(message);
    scheduler.trace('machine.boot', name, incarnation.number);
    return {
      clock: new SimClock(this.quartz),
      timers: new SimTimers(incarnation, this.quartz, random('timers.lateness')),
      random: random('env'),
      fs: this.disk.mount(incarnation),
      openEngine: this.engineDisk.mount(incarnation),
      transport: this.#transport,
      observer: this.observer,
    };
  }

  /**
   * Ends the process: none of its timers fires and none of its promises settles any more. Nothing
   * when it does not run.
   *
   * @param kind - see {@link CrashKind}; default `power`
   */
  crash(kind: CrashKind = 'power'): void {
    if (this.#incarnation === undefined) return;
    const { scheduler, network, name } = this.#options;
    scheduler.trace('machine.crash', name, kind);
    this.#incarnation.kill();
    this.#incarnation = undefined;
    network.leave(this.#transport as SimTransport, { reset: kind === 'process' });
    this.disk.crash({ powerLoss: kind === 'power' });
    this.engineDisk.crash({ powerLoss: kind === 'power' });
    this.onCrash?.();
  }

  /**
   * Crashes the process around one of its next effects on disk or network. Nothing when it does not
   * run, or ends before.
   *
   * @param effects - 1 for the next one
   * @param options.when - before the effect, or after it and before the process hears of it
   * @param options.crash - ends the process; default {@link crash} with a loss of power
   */
  crashAt(
    effects: number,
    options: { readonly when: 'before' | 'after'; readonly crash?: (() => void) | undefined },
  ): void {
    if (this.#incarnation === undefined) return;
    const { when, crash = () => this.crash() } = options;
    this.#incarnation.effectCrash = { left: effects, when, crash };
  }

  /** Whether its process was stopped where it is. */
  get isPaused(): boolean {
    return this.#incarnation?.paused === true;
  }

  /** Stops the process where it is; see `Incarnation.pause`. Nothing when none runs. */
  pause(): void {
    this.#options.scheduler.trace('machine.pause', this.name);
    this.#incarnation?.pause();
  }

  /** Lets a paused process go on. */
  resume(): void {
    this.#options.scheduler.trace('machine.resume', this.name);
    this.#incarnation?.resume();
  }

  /** Loses all data, as a replaced disk does. Only while no process runs. */
  wipe(): void {
    assert(!this.running, `${this.name} runs`);
    this.#wipes += 1;
    this.disk.wipe();
    this.disk.provide(this.dir);
    this.engineDisk.wipe();
    this.#options.scheduler.trace('machine.wipe', this.name);
  }

  /** What its disks hold now, to the eyes of a process; it may run meanwhile. */
  copyDisks(): DiskCopy {
    return { files: this.disk.copy(), engines: this.engineDisk.copy() };
  }

  /** Goes back to a copy, as from a backup of the whole machine. Only while no process runs. */
  putBack(copy: DiskCopy): void {
    assert(!this.running, `${this.name} runs`);
    this.#wipes += 1;
    this.disk.putBack(copy.files);
    this.engineDisk.putBack(copy.engines);
    this.#options.scheduler.trace('machine.put-back', this.name);
  }
}
