// The platform's environment of one member, with a kill switch: from then on nothing it started
// settles, no timer fires, no socket speaks, and what was not written stays unwritten, as after
// SIGKILL. Only what the kernel would give back is given back: locks, handles, the address.

import type { StoreConfig } from '../../src/assembly/store-config.js';
import type { Env } from '../../src/node/env.js';
import { systemEnv } from '../../src/preset/system-env.js';
import type { DirectoryLock, StorageFile } from '../../src/storage/file-system.js';
import type { KvEngine } from '../../src/storage/kv-engine.js';

export class KillableEnv {
  readonly env: Env;
  readonly #platform: Env;
  readonly #files = new Set<StorageFile>();
  readonly #engines = new Set<KvEngine>();
  readonly #locks = new Set<DirectoryLock>();
  readonly #underWay = new Set<Promise<unknown>>();
  #isDead = false;

  private constructor(platform: Env) {
    this.#platform = platform;
    this.env = {
      ...platform,
      timers: {
        after: (ms, callback) => platform.timers.after(ms, this.#alive(callback)),
        soon: (callback) => platform.timers.soon(this.#alive(callback)),
      },
      fs: this.#guard(platform.fs, ['crc32'], {
        open: async (path: string, mode: 'create' | 'read' | 'read-write') => {
          const file = await platform.fs.open(path, mode);
          this.#files.add(file);
          return this.#guard(file);
        },
        lock: async (path: string) => {
          const lock = await platform.fs.lock(path);
          this.#locks.add(lock);
          return lock;
        },
      }),
      openEngine: async (path) => {
        const engine = await platform.openEngine(path);
        this.#engines.add(engine);
        return this.#guard(engine, ['iterate', 'getNow']);
      },
    };
  }

  static async create(config: StoreConfig): Promise<KillableEnv> {
    return new KillableEnv(await systemEnv(config));
  }

  async kill(): Promise<void> {
    this.#isDead = true;
    await this.#platform.transport.close();
    // System calls that the kernel has already begun come to their end, unseen.
    await Promise.allSettled(this.#underWay);
    for (const file of this.#files) await file.close();
    for (const engine of this.#engines) await engine.close();
    for (const lock of this.#locks) await lock.release();
  }

  #alive(callback: () => void): () => void {
    return () => {
      if (!this.#isDead) callback();
    };
  }

  /** The same object, whose asynchronous methods never settle once the member is dead. */
  #guard<T extends object>(target: T, plain: readonly string[] = [], replaced: object = {}): T {
    return new Proxy(target, {
      get: (_, name) => {
        const own = Reflect.get(name in replaced ? replaced : target, name) as unknown;
        if (typeof own !== 'function' || plain.includes(String(name))) {
          return typeof own === 'function' ? own.bind(target) : own;
        }
        return (...args: unknown[]) => {
          if (this.#isDead) return new Promise(() => {});
          const result = (own as (...a: unknown[]) => Promise<unknown>).apply(target, args);
          this.#underWay.add(result);
          return new Promise((resolve, reject) => {
            const settle = (how: (value: never) => void) => (value: unknown) => {
              this.#underWay.delete(result);
              if (!this.#isDead) how(value as never);
            };
            result.then(settle(resolve), settle(reject));
          });
        };
      },
    });
  }
}
