/**
 * The disk of one simulated machine. It outlives the processes that mount it: a crash ends their
 * mounts and, when the power went, loses and tears what was not synced (reliability plan §7.4).
 */
import { kontikiError } from '../base/errors.js';
import { type Random, randomInt } from '../base/prng.js';
import type { FileSystem } from '../storage/file-system.js';
import { ancestorsOf, normalPath } from './disk-path.js';
import type { Incarnation } from './incarnation.js';
import { PagedFile, type SectorFill } from './paged-file.js';
import { SimFileSystem } from './sim-file-system.js';
import { type NameOperation, SimNamespace } from './sim-namespace.js';
import { SimRandom } from './sim-random.js';

/**
 * Virtual microseconds an operation takes: at least the first number, at most the second.
 *
 * @since 0.1.0
 */
export type LatencyRange = readonly [minUs: number, maxUs: number];

/**
 * How long the operations of a disk take.
 *
 * @since 0.1.0
 */
export interface DiskLatency {
  /** Default 10 to 80. */
  readonly readUs: LatencyRange;
  /** Into the page cache; default 5 to 30. */
  readonly writeUs: LatencyRange;
  /** Of a file or a folder; default 50 to 500. */
  readonly syncUs: LatencyRange;
  /** Opening, listing, renaming and the like; default 5 to 40. */
  readonly nameUs: LatencyRange;
}

/**
 * @since 0.1.0
 */
export interface SimDiskOptions {
  /** Of the whole run. */
  readonly seed: number;
  /** Name of the machine the disk is in. */
  readonly machine: string;
  readonly latency?: Partial<DiskLatency> | undefined;
}

/**
 * How a sync goes wrong. Without fields: the error of a failed writeback, the data forgotten.
 *
 * @since 0.1.0
 */
export interface SyncFault {
  /**
   * `lost` (default): the data stays readable, is not dirty any more and gone after a power loss.
   * `kept`: it is as dirty as before, so a later sync may save it.
   */
  readonly data?: 'lost' | 'kept' | undefined;
  /** Code of the error; `success` for a sync that lies. Default `STORAGE_IO`. */
  readonly reports?: 'STORAGE_IO' | 'NO_SPACE' | 'success' | undefined;
}

const defaultLatency: DiskLatency = {
  readUs: [10, 80],
  writeUs: [5, 30],
  syncUs: [50, 500],
  nameUs: [5, 40],
};

/**
 * A disk with its faults. Paths are those the processes use.
 *
 * @since 0.1.0
 */
export class SimDisk {
  /** Folders that a living process holds; for the mounts. */
  readonly locks: Set<string> = new Set();
  /** Sum of all file sizes past which writes fail with `NO_SPACE`. */
  byteBudget: number = Number.POSITIVE_INFINITY;
  /** Whether a write that does not fit leaves the part that does, as a system call may. */
  partialWrites = false;
  /** Files open at a time past which opening fails, as with `EMFILE`. */
  openFilesMax: number = Number.POSITIVE_INFINITY;
  /** Told of every path that a process removes, whatever was there, and of all names that went with it. */
  onRemove: ((path: string, unlinks: readonly NameOperation[]) => void) | undefined = undefined;
  /** Told at a power loss of changes of names that came undone: see `SimNamespace.crash`. */
  onUndone: ((operations: readonly NameOperation[]) => void) | undefined = undefined;
  /** What a power loss leaves where a file grew and its data was lost. */
  fill: SectorFill = 'zeros';
  /**
   * Whether every sync, of files and folders, reports success and leaves all as dirty as before: a
   * drive that says it has written what is in its cache. Outside the fault budget of any log.
   */
  lyingSyncs = false;
  /** What every operation takes longer than usual, in virtual microseconds: a disk that stalls. */
  slowByUs = 0;
  /** Files open now; for the mounts. */
  openFiles = 0;
  #names = new SimNamespace();
  readonly #options: SimDiskOptions;
  readonly #latency: DiskLatency;
  readonly #random: Random;
  readonly #syncFaults = new Map<PagedFile, SyncFault>();
  readonly #directoryFaults = new Set<string>();
  readonly #readFaults = new Set<PagedFile>();
  #crashes = 0;

  /**
   * @param options - see {@link SimDiskOptions}
   */
  constructor(options: SimDiskOptions) {
    this.#options = options;
    this.#latency = { ...defaultLatency, ...options.latency };
    const { seed, machine } = options;
    this.#random = new SimRandom({ seed, stream: 'disk.latency', entity: [machine] });
  }

  /** Names of the files; for the mounts. */
  get names(): SimNamespace {
    return this.#names;
  }

  /** Bytes of all files. */
  get usedBytes(): number {
    let used = 0;
    for (const [, file] of this.names.files()) used += file.size;
    return used;
  }

  /**
   * The disk as one process sees it. Dies with the incarnation: what is in flight then never settles.
   *
   * @param incarnation - whose file system this is
   */
  mount(incarnation: Incarnation): FileSystem {
    return new SimFileSystem(this, incarnation);
  }

  /** Creates a folder that is durable at once, as one that was there before the first boot. */
  provide(path: string): void {
    for (const folder of ancestorsOf(normalPath(path))) {
      if (this.names.lookup(folder) !== undefined) continue;
      this.names.change({ kind: 'link', path: folder, node: 'directory' });
    }
    this.names.settleAll();
  }

  /**
   * The process died. Locks fall; with `powerLoss`, what was not synced is kept, lost or torn by
   * chance, anew at each crash.
   *
   * @param options.powerLoss - false: the kernel lives on and its page cache with it
   */
  crash(options: { readonly powerLoss: boolean }): void {
    this.locks.clear();
    this.#syncFaults.clear();
    this.#directoryFaults.clear();
    this.#readFaults.clear();
    this.openFiles = 0;
    if (!options.powerLoss) {
      for (const [, file] of this.names.files()) file.finishCaptures();
      return;
    }
    this.#crashes += 1;
    const { seed, machine } = this.#options;
    const entity = [machine, this.#crashes];
    const random = new SimRandom({ seed, stream: 'disk.crash.names', entity });
    this.onUndone?.(this.names.crash(random));
    for (const [path, file] of this.names.files()) {
      const random = new SimRandom({
        seed,
        stream: 'disk.crash.sectors',
        entity: [...entity, path],
      });
      file.crash(random, this.fill);
    }
  }

  /** Loses everything. Only while no process has it mounted. */
  wipe(): void {
    this.#names = new SimNamespace();
    this.locks.clear();
  }

  /** All files as readers see them now, for {@link putBack}. */
  copy(): SimNamespace {
    return this.#names.copy();
  }

  /** Holds what a copy holds, and nothing else. Only while no process has it mounted. */
  putBack(copy: SimNamespace): void {
    this.#names = copy.copy();
    this.locks.clear();
  }

  /**
   * Makes the next sync of a file fail.
   *
   * @param path - of an existing file
   * @param fault - see {@link SyncFault}
   * @throws {KontikiError} ARGUMENT_INVALID, when there is no such file
   */
  failSync(path: string, fault: SyncFault = {}): void {
    this.#syncFaults.set(this.#file(path), fault);
  }

  /**
   * Makes the next sync of a folder fail; its names stay as volatile as they were.
   *
   * @param path - of a folder
   */
  failDirectorySync(path: string): void {
    this.#directoryFaults.add(normalPath(path));
  }

  /** Lets syncs succeed again that were to fail and have not been asked for yet. */
  healSyncs(): void {
    this.#syncFaults.clear();
    this.#directoryFaults.clear();
  }

  /**
   * Makes the next read of a file fail, as on a sector that cannot be read.
   *
   * @param path - of an existing file
   * @throws {KontikiError} ARGUMENT_INVALID, when there is no such file
   */
  failRead(path: string): void {
    this.#readFaults.add(this.#file(path));
  }

  /**
   * Flips one bit of a file, on the medium and in the cache.
   *
   * @param path - of an existing file
   * @param at - byte offset, and the bit in that byte, 0 to 7, default 0
   * @throws {KontikiError} ARGUMENT_INVALID, when there is no such file
   */
  flipBit(path: string, at: { readonly offset: number; readonly bit?: number }): void {
    this.#file(path).flipBit(at.offset, at.bit ?? 0);
  }

  /** How a sync of the file goes wrong now, if it does; the fault is then used up. For the mounts. */
  takeSyncFault(file: PagedFile): SyncFault | undefined {
    const fault = this.#syncFaults.get(file);
    this.#syncFaults.delete(file);
    if (fault !== undefined) return fault;
    return this.lyingSyncs ? { data: 'kept', reports: 'success' } : undefined;
  }

  /** As `takeSyncFault`, of a folder. */
  takeDirectoryFault(path: string): SyncFault | undefined {
    if (this.#directoryFaults.delete(path)) return { data: 'kept' };
    return this.lyingSyncs ? { data: 'kept', reports: 'success' } : undefined;
  }

  /** Whether a read of the file fails now; the fault is then used up. For the mounts. */
  takeReadFault(file: PagedFile): boolean {
    return this.#readFaults.delete(file);
  }

  /** How long an operation of a kind takes this time. For the mounts. */
  delayUs(kind: keyof DiskLatency): number {
    const [min, max] = this.#latency[kind];
    return this.slowByUs + min + randomInt(this.#random, max - min + 1);
  }

  #file(path: string): PagedFile {
    const node = this.names.lookup(normalPath(path));
    if (node instanceof PagedFile) return node;
    throw kontikiError('ARGUMENT_INVALID', `expected the path of a file, got '${path}'`);
  }
}
