/**
 * The engines of one simulated machine, by path: what outlives the processes that open them. A crash
 * keeps all durable batches, and of the others a random prefix in each log of the engine.
 */
import type { BinaryString } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import { randomInt } from '../base/prng.js';
import type { OpenEngine } from '../storage/kv-engine.js';
import { normalPath } from './disk-path.js';
import { EngineView } from './engine-view.js';
import type { Incarnation } from './incarnation.js';
import { SimEngine } from './sim-engine.js';
import type { NameOperation } from './sim-namespace.js';
import { SimRandom } from './sim-random.js';
import { StoredEngine, type WriteFault } from './stored-engine.js';

/**
 * @since 0.1.0
 */
export interface SimEngineDiskOptions {
  /** Of the whole run. */
  readonly seed: number;
  /** Name of the machine the engines are on. */
  readonly machine: string;
}

/**
 * All engines of a machine.
 *
 * @since 0.1.0
 */
export class SimEngineDisk {
  /** Whether the disk that the engines share with files is full: default never. */
  isFull: () => boolean = () => false;
  /** What every operation takes longer than usual, on average, in virtual microseconds: a disk that stalls. */
  slowByUs = 0;
  /** The same of writes, which come on top: a disk behind a cache that reads still hit. */
  slowWritesByUs = 0;
  readonly #options: SimEngineDiskOptions;
  readonly #engines = new Map<string, StoredEngine>();
  /** Engines in folders that were removed, as long as a power loss may undo that. */
  readonly #removed = new WeakMap<NameOperation, StoredEngine>();
  #crashes = 0;

  /**
   * @param options - see {@link SimEngineDiskOptions}
   */
  constructor(options: SimEngineDiskOptions) {
    this.#options = options;
  }

  /**
   * How one process opens engines. What is in flight when it dies never settles.
   *
   * @param incarnation - who opens
   */
  mount(incarnation: Incarnation): OpenEngine {
    const { seed, machine } = this.#options;
    const entity = [machine, incarnation.number];
    const random = new SimRandom({ seed, stream: 'engine.latency', entity });
    const logs = new SimRandom({ seed, stream: 'engine.log', entity });
    return (path) =>
      incarnation.settle(100 + randomInt(random, 900), () => {
        const stored = this.#stored(path);
        if (stored.opened) throw kontikiError('DIR_LOCKED', `engine ${path} is open`);
        if (this.isFull()) throw kontikiError('NO_SPACE', `no space to open engine ${path}`);
        stored.opened = true;
        const slowByUs = (isWrite: boolean) => {
          return this.slowByUs + (isWrite ? this.slowWritesByUs : 0);
        };
        const isFull = () => this.isFull();
        const opened = { stored, incarnation, random, logs, slowByUs, isFull };
        return new SimEngine({ ...opened, path: normalPath(path) });
      });
  }

  /** Where engines are, in the order in which they were made. */
  get paths(): readonly string[] {
    return [...this.#engines.keys()];
  }

  /** The newest state of the engine at `path`, synced or not; empty when there is none. */
  view(path: string): EngineView {
    return this.#engines.get(normalPath(path))?.view ?? EngineView.empty;
  }

  /**
   * The process died. With `powerLoss`, batches that are not durable survive up to a random point of the
   * engine's log that they are in.
   *
   * @param options.powerLoss - false: the page cache lives on
   */
  crash(options: { readonly powerLoss: boolean }): void {
    this.#crashes += 1;
    const { seed, machine } = this.#options;
    for (const [path, stored] of this.#engines) {
      stored.opened = false;
      if (!options.powerLoss) continue;
      const entity = [machine, this.#crashes, path];
      const random = new SimRandom({ seed, stream: 'engine.crash', entity });
      stored.crash((bound) => randomInt(random, bound));
    }
  }

  /**
   * Loses one batch, synced or not, and keeps the later ones: what LevelDB 1.20 makes of a damaged
   * record in its log (reliability §0.6). Only while no process has the engine open.
   *
   * @param path - of the engine
   * @param back - 0 for the newest batch, 1 for the one before it
   * @throws {KontikiError} ARGUMENT_INVALID, when it is open or its log does not reach back so far
   */
  dropBatch(path: string, back: number): void {
    const stored = this.#engines.get(normalPath(path));
    if (stored === undefined || stored.opened || !stored.dropBatch(back)) {
      throw kontikiError('ARGUMENT_INVALID', `no batch ${back} to drop in a closed engine ${path}`);
    }
  }

  /**
   * Makes the next write of an engine fail.
   *
   * @param path - of the engine
   * @param fault - see {@link WriteFault}
   */
  failWrite(path: string, fault: WriteFault): void {
    this.#stored(path).writeFault = fault;
  }

  /** Lets writes succeed again that were to fail and have not been asked for yet. */
  healWrites(): void {
    for (const stored of this.#engines.values()) stored.writeFault = undefined;
  }

  /**
   * Makes synced writes of an engine lie: they resolve, and a power loss may take them.
   *
   * @param path - of the engine
   */
  lie(path: string): void {
    this.#stored(path).lyingSyncs = true;
  }

  /**
   * Damages a stored value, as a table file whose checksums nobody verifies.
   *
   * @param path - of the engine
   * @param at - key, and the byte of its value
   * @throws {KontikiError} ARGUMENT_INVALID, when there is no such byte
   */
  flipBit(path: string, at: { readonly key: BinaryString; readonly offset: number }): void {
    if (this.#engines.get(normalPath(path))?.flipBit(at.key, at.offset) === true) return;
    throw kontikiError('ARGUMENT_INVALID', `no such byte in engine ${path}`);
  }

  /**
   * Removes the engines in folders that were removed, unless a process has them open. Like the folder's
   * name, such an engine may be back after a power loss, all of it.
   *
   * @param unlinks - of the folders; anything else among them is of no interest
   */
  remove(unlinks: readonly NameOperation[]): void {
    for (const unlink of unlinks) {
      const stored = this.#engines.get(unlink.path);
      if (stored === undefined) continue;
      if (!stored.opened) this.#engines.delete(unlink.path);
      this.#removed.set(unlink, stored);
    }
  }

  /**
   * A power loss undid changes of names: a folder that is back has the engine that was in it first, and
   * the engine in one that is gone is gone, too.
   *
   * @param operations - in the order in which they were done
   */
  undo(operations: readonly NameOperation[]): void {
    for (const operation of [...operations].reverse()) {
      this.#engines.delete(operation.path);
      const stored = this.#removed.get(operation);
      if (stored !== undefined) this.#engines.set(operation.path, stored);
    }
  }

  /** All engines in their newest states, for {@link putBack}. */
  copy(): ReadonlyMap<string, StoredEngine> {
    return new Map([...this.#engines].map(([path, stored]) => [path, stored.copy()]));
  }

  /** Holds what a copy holds, and nothing else. Only while none is open. */
  putBack(copy: ReadonlyMap<string, StoredEngine>): void {
    this.#engines.clear();
    for (const [path, stored] of copy) this.#engines.set(path, stored.copy());
  }

  /** Removes every engine, as a wiped data directory does. Only while none is open. */
  wipe(): void {
    this.#engines.clear();
  }

  #stored(path: string): StoredEngine {
    const normal = normalPath(path);
    let stored = this.#engines.get(normal);
    if (stored === undefined) {
      stored = new StoredEngine();
      this.#engines.set(normal, stored);
    }
    return stored;
  }
}
