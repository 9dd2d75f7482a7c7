/**
 * Snapshots as files of one folder. The file is whole if it has its own name; what a crash left of
 * one that was being written has a temporary name and is removed when the folder is opened.
 */
import { isKontikiError, type KontikiErrorOf, kontikiError } from '../../base/errors.js';
import { type RunningHash, Sha256 } from '../../base/sha256.js';
import type { ConfState } from '../../raft/configuration.js';
import type { LogId } from '../../raft/types.js';
import type { FileSystem } from '../file-system.js';
import { parentOf } from '../parent-of.js';
import type { SnapshotMeta, SnapshotSink, SnapshotStore } from '../snapshot-store.js';
import { type ReadHeader, snapshotKind } from './header.js';
import { inspectNamed } from './inspect.js';
import { parseSnapshotName, snapshotName, temporaryEnding } from './name.js';
import { FramedFileReader } from './reader.js';
import { SnapshotFileSink } from './sink.js';

/** @since 0.1.0 */
export interface SnapshotFilesOptions {
  readonly fs: FileSystem;
  /** Folder of the snapshots alone, created if missing. Its owner holds a lock around it. */
  readonly dir: string;
  /** Snapshots that `prune` leaves; default 1. */
  readonly keep?: number | undefined;
  /** Makes a SHA-256; default portable code, at some 200 MiB/s. */
  readonly sha256?: (() => RunningHash) | undefined;
  /** Raft group of the snapshots; default 0. */
  readonly groupId?: number | undefined;
  /** Longest chunk of a file; default 1 MiB. */
  readonly chunkBytesMax?: number | undefined;
}

type Damage = KontikiErrorOf<'SNAPSHOT_CORRUPT'>;

const chunkBytesDefault = 1024 * 1024;

/**
 * A {@link SnapshotStore} over any {@link FileSystem}.
 *
 * @since 0.1.0
 */
export class SnapshotFiles implements SnapshotStore {
  readonly #options: SnapshotFilesOptions;
  /** By name; complete and, as far as their ends tell, whole. */
  readonly #snapshots = new Map<string, SnapshotMeta>();
  readonly #damaged = new Map<string, Damage>();
  /** How many readers each file has. */
  readonly #readers = new Map<string, number>();
  /** A sink is open, or being opened. */
  #isWriting = false;
  #sink: SnapshotFileSink | undefined;
  #isClosed = false;

  private constructor(options: SnapshotFilesOptions) {
    this.#options = options;
  }

  /**
   * Opens a folder: removes temporary files, verifies both ends of every snapshot. A damaged one is
   * reported in `damaged` and counts as missing; what is between the ends is verified by `read`.
   *
   * @throws {KontikiError} FORMAT_UNSUPPORTED, STORAGE_IO, NO_SPACE
   */
  static async open(options: SnapshotFilesOptions): Promise<SnapshotFiles> {
    const { fs, dir } = options;
    const { keep = 1, chunkBytesMax = 1 } = options;
    if (!Number.isSafeInteger(keep) || keep < 1 || !(chunkBytesMax >= 1)) {
      throw kontikiError('ARGUMENT_INVALID', 'expected keep and chunkBytesMax of at least 1');
    }
    const store = new SnapshotFiles(options);
    await fs.makeDirectory(dir);
    await fs.syncDirectory(parentOf(dir));
    for (const name of await fs.list(dir)) {
      if (name.endsWith(temporaryEnding)) await fs.remove(`${dir}/${name}`);
      else if (parseSnapshotName(name) !== undefined) await store.#inspect(name);
    }
    // A rename that the crash left undecided is durable before anything rests on it.
    await fs.syncDirectory(dir);
    return store;
  }

  /** What is wrong with the files that were refused, oldest snapshot first. */
  get damaged(): readonly Damage[] {
    return [...this.#damaged].sort(byName).map(([, error]) => error);
  }

  /** @throws {KontikiError} CLOSED */
  async latest(): Promise<SnapshotMeta | undefined> {
    return (await this.list())[0];
  }

  /** @throws {KontikiError} CLOSED */
  async list(): Promise<readonly SnapshotMeta[]> {
    this.#checkOpen();
    return this.#newestFirst().map(([, meta]) => meta);
  }

  /** @throws {KontikiError} ARGUMENT_INVALID, CLOSED, NO_SPACE, STORAGE_IO */
  async create(last: LogId, configuration: ConfState): Promise<SnapshotSink> {
    this.#checkOpen();
    if (this.#isWriting) {
      throw kontikiError('ARGUMENT_INVALID', 'expected one snapshot to be written at a time');
    }
    this.#isWriting = true;
    const { fs, dir, groupId = 0, sha256, chunkBytesMax = chunkBytesDefault } = this.#options;
    const onEnd = (committed: SnapshotMeta | undefined): void => {
      this.#isWriting = false;
      this.#sink = undefined;
      if (committed === undefined) return;
      this.#snapshots.set(snapshotName(last), committed);
      this.#damaged.delete(snapshotName(last));
    };
    try {
      const header = { last, configuration, groupId };
      const hash = sha256?.() ?? new Sha256();
      const parts = { fs, dir, header, hash, chunkBytesMax, onEnd };
      const sink = await SnapshotFileSink.create(parts);
      this.#sink = sink;
      return sink;
    } catch (error) {
      this.#isWriting = false;
      throw error;
    }
  }

  read(meta: SnapshotMeta): AsyncIterable<Uint8Array> {
    this.#checkOpen();
    return { [Symbol.asyncIterator]: () => this.#reader(snapshotName(meta.last)) };
  }

  /** @throws {KontikiError} STORAGE_IO, CLOSED */
  async remove(meta: SnapshotMeta): Promise<void> {
    this.#checkOpen();
    await this.#remove([snapshotName(meta.last)]);
  }

  /**
   * Damaged files go with the first intact snapshot after them.
   *
   * @throws {KontikiError} STORAGE_IO, CLOSED
   */
  async prune(): Promise<void> {
    this.#checkOpen();
    const intact = this.#newestFirst().map(([name]) => name);
    const [newest] = intact;
    if (newest === undefined) return;
    const old = intact.slice(this.#options.keep ?? 1);
    for (const name of this.#damaged.keys()) if (name < newest) old.push(name);
    await this.#remove(old.filter((name) => !this.#readers.has(name)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#sink?.discard();
  }

  async #inspect(name: string): Promise<void> {
    const { fs, dir, groupId } = this.#options;
    try {
      const { header, trailer } = await inspectNamed(fs, dir, name, groupId);
      const { last, configuration } = header;
      this.#snapshots.set(name, { last, configuration, size: trailer.size });
    } catch (error) {
      if (!isKontikiError(error, 'SNAPSHOT_CORRUPT')) throw error;
      this.#damaged.set(name, error);
    }
  }

  #reader(name: string): FramedFileReader<ReadHeader> {
    const { fs, dir, sha256 } = this.#options;
    const damage = this.#damaged.get(name);
    if (damage !== undefined) throw damage;
    if (!this.#snapshots.has(name)) {
      throw kontikiError('ARGUMENT_INVALID', `expected a snapshot that exists, got ${name}`);
    }
    const onOpen = (): (() => void) => {
      this.#readers.set(name, (this.#readers.get(name) ?? 0) + 1);
      return () => {
        const left = (this.#readers.get(name) as number) - 1;
        if (left === 0) this.#readers.delete(name);
        else this.#readers.set(name, left);
      };
    };
    const hash = sha256?.() ?? new Sha256();
    const path = `${dir}/${name}`;
    return new FramedFileReader({ fs, path, kind: snapshotKind, hash, onOpen });
  }

  async #remove(names: readonly string[]): Promise<void> {
    const { fs, dir } = this.#options;
    for (const name of names) {
      this.#snapshots.delete(name);
      this.#damaged.delete(name);
      await fs.remove(`${dir}/${name}`);
    }
    if (names.length > 0) await fs.syncDirectory(dir);
  }

  #newestFirst(): [string, SnapshotMeta][] {
    return [...this.#snapshots].sort(byName).reverse();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw kontikiError('CLOSED', 'the snapshot store is closed');
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
