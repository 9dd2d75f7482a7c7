/**
 * The folders of a data directory that hold the state: the present one, and beside it the next one
 * while a snapshot is installed (docs/storage.md).
 *
 *     state/                  until the first install
 *     state-<index>/          loaded from the snapshot of that entry
 *     state.current           names the present one
 */
import { kontikiError } from '../base/errors.js';
import type { Backend, StoredRecord } from '../mvcc/backend.js';
import type { StateHome, StateLoad } from '../mvcc/state-home.js';
import type { FileSystem } from './file-system.js';
import { hasSpaceFor } from './has-space.js';
import type { KvEngine, OpenEngine } from './kv-engine.js';
import { StateLoader } from './state-loader.js';
import { findState, isStateName, stateName, writeStatePointer } from './state-pointer.js';
import { type EngineReopening, writeBehindDefaults } from './write-behind-options.js';

const probeName = 'space.tmp';
/**
 * What an engine may take to be opened, and for a flush, in bytes. It looks at its write buffer before a batch, so
 * a log has a buffer and a flush, and is made a table when it is opened; one that does not fit is opened in vain. Twice
 * of two flushes, for what is merged meanwhile.
 */
const engineRoomBytes = 4 * writeBehindDefaults.flushBytes;

/** @since 0.1.0 */
export interface StateFoldersOptions {
  readonly fs: FileSystem;
  readonly openEngine: OpenEngine;
  /** The data directory, which exists and is locked. */
  readonly dir: string;
  /** Opens an engine with a whole state in it as a backend, which then owns the engine. */
  readonly openBackend: (engine: KvEngine, reopening: EngineReopening) => Promise<Backend>;
}

/** @since 0.1.0 */
export class StateFolders implements StateHome {
  readonly #options: StateFoldersOptions;
  #current: string;

  private constructor(options: StateFoldersOptions, current: string) {
    this.#options = options;
    this.#current = current;
  }

  /**
   * Finds the present state's folder. Changes nothing.
   *
   * @throws {KontikiError} STATE_CORRUPT when the pointer is damaged or gone, FORMAT_UNSUPPORTED,
   *   STORAGE_IO
   */
  static async find(options: StateFoldersOptions): Promise<StateFolders> {
    return new StateFolders(options, await findState(options.fs, options.dir));
  }

  /** Path of the present state's folder. */
  get path(): string {
    return `${this.#options.dir}/${this.#current}`;
  }

  /**
   * Opens the engine of the present state, in a new folder when there is none.
   *
   * @throws {KontikiError} DIR_LOCKED, STATE_CORRUPT, STORAGE_IO
   */
  async openEngine(): Promise<KvEngine> {
    await this.#options.fs.makeDirectory(this.path);
    return this.#options.openEngine(this.path);
  }

  /** How that engine goes on once it has run out of space. */
  get reopening(): EngineReopening {
    return this.#reopening(this.path);
  }

  /** @throws {KontikiError} NO_SPACE, STORAGE_IO */
  async load(appliedIndex: number): Promise<StateLoad> {
    const { dir, fs, openEngine } = this.#options;
    const name = stateName(appliedIndex);
    if (name === this.#current) {
      throw kontikiError('ARGUMENT_INVALID', `the state of entry ${appliedIndex} is installed`);
    }
    const path = `${dir}/${name}`;
    // What a load left that was cut short must not come back among the files of this one.
    await fs.remove(path);
    await fs.syncDirectory(dir);
    await fs.makeDirectory(path);
    const engine = await openEngine(path);
    try {
      const loader = await StateLoader.begin(engine);
      return this.#loadInto(engine, loader, name, appliedIndex);
    } catch (error) {
      await engine.close().catch(() => undefined);
      throw error;
    }
  }

  #loadInto(engine: KvEngine, loader: StateLoader, name: string, appliedIndex: number): StateLoad {
    const { fs, dir, openBackend } = this.#options;
    return {
      add: (records: readonly StoredRecord[]) => loader.add(records),
      finish: async () => {
        try {
          await loader.finish(appliedIndex);
          await fs.syncDirectory(`${dir}/${name}`);
          // Its own name is durable before anything names it.
          await fs.syncDirectory(dir);
        } catch (error) {
          await engine.close().catch(() => undefined);
          throw error;
        }
        // Verifies the whole chain of batches before the switch, and closes the engine if it cannot.
        const backend = await openBackend(engine, this.#reopening(`${dir}/${name}`));
        try {
          await writeStatePointer(fs, dir, name);
        } catch (error) {
          await backend.close().catch(() => undefined);
          throw error;
        }
        this.#current = name;
        return backend;
      },
      discard: async () => {
        await engine.close().catch(() => undefined);
        await fs.remove(`${dir}/${name}`).catch(() => undefined);
      },
    };
  }

  #reopening(path: string): EngineReopening {
    const { dir, fs, openEngine } = this.#options;
    return {
      // A batch is in the engine's log and, soon after, in a table.
      hasSpace: (bytes) => {
        return hasSpaceFor(fs, `${dir}/${probeName}`, Math.max(engineRoomBytes, 2 * bytes));
      },
      open: () => openEngine(path),
    };
  }

  /** Removes every folder of a state but the present one. What it cannot remove, a later call does. */
  async retire(): Promise<void> {
    const { fs, dir } = this.#options;
    try {
      const old = (await fs.list(dir)).filter(
        (name) => isStateName(name) && name !== this.#current,
      );
      // Whoever switched may have ended before it knew that the present one will be found again.
      if (old.length > 0) await fs.syncDirectory(dir);
      for (const name of old) await fs.remove(`${dir}/${name}`);
      // Of a life that ended while it looked for space.
      await fs.remove(`${dir}/${probeName}`);
      if (old.length > 0) await fs.syncDirectory(dir);
    } catch {
      // Space that is not free yet is no reason to stop a member.
    }
  }
}
