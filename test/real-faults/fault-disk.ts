/** The platform's environment with a disk that can be full or slow for a while. */
import { setTimeout as wait } from 'node:timers/promises';
import { kontikiError } from '../../src/base/errors.js';
import type { Env } from '../../src/node/env.js';
import type { FileSystem, StorageFile } from '../../src/storage/file-system.js';
import type { KvEngine } from '../../src/storage/kv-engine.js';
import type { DiskState } from './protocol.js';

/** What a sync takes on a slow disk, in milliseconds. */
const slowSyncMs = 150;

export class FaultDisk {
  state: DiskState = 'fine';
  readonly env: Env;

  constructor(platform: Env) {
    const { fs, openEngine } = platform;
    this.env = {
      ...platform,
      fs: this.#files(fs),
      openEngine: async (path) => this.#engine(await openEngine(path)),
    };
  }

  #files(fs: FileSystem): FileSystem {
    return {
      crc32: fs.crc32,
      makeDirectory: (path) => this.#write(() => fs.makeDirectory(path)),
      list: (path) => fs.list(path),
      open: async (path, mode) => {
        if (mode === 'create') this.#needSpace();
        return this.#file(await fs.open(path, mode));
      },
      readFile: (path) => fs.readFile(path),
      rename: (from, to) => fs.rename(from, to),
      remove: (path) => fs.remove(path),
      syncDirectory: (path) => this.#sync(() => fs.syncDirectory(path)),
      lock: (path) => fs.lock(path),
    };
  }

  /** What is already on the disk can be written over, and made durable, without space. */
  #file(file: StorageFile): StorageFile {
    return {
      size: () => file.size(),
      read: (offset, length) => file.read(offset, length),
      write: async (offset, chunks) => {
        const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
        if (this.state === 'full' && offset + bytes > (await file.size())) this.#needSpace();
        return file.write(offset, chunks);
      },
      sync: () => this.#sync(() => file.sync()),
      truncate: (size) => file.truncate(size),
      close: () => file.close(),
    };
  }

  #engine(engine: KvEngine): KvEngine {
    return {
      getMany: (keys) => engine.getMany(keys),
      ...(engine.getNow === undefined
        ? {}
        : { getNow: (keys: readonly string[]) => engine.getNow?.(keys) }),
      iterate: (range) => engine.iterate(range),
      write: (batch, options) => this.#write(() => this.#sync(() => engine.write(batch, options))),
      close: () => engine.close(),
    };
  }

  async #write<R>(work: () => Promise<R>): Promise<R> {
    this.#needSpace();
    return work();
  }

  async #sync<R>(work: () => Promise<R>): Promise<R> {
    if (this.state === 'slow') await wait(slowSyncMs);
    return work();
  }

  #needSpace(): void {
    if (this.state !== 'full') return;
    throw kontikiError('NO_SPACE', 'the disk is full, as it was told to be');
  }
}
