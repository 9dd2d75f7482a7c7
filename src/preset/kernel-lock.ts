/**
 * A lock of the kernel on a data directory. The lock file names a process, and a process of another
 * container cannot be asked whether it lives: its id is looked up here and means somebody else, or nobody.
 * A store's engine holds a lock that the kernel keeps, and lets go of however its process ends. A
 * member with a state machine of its own has no engine, so it opens an empty one for that.
 */
import type { Env } from '../node/env.js';
import type { FileSystem } from '../storage/file-system.js';

/** Folder of the empty engine in the data directory. */
const kernelLockName = 'lock.d';

/**
 * @param storage - whose engine holds a lock as long as it is open
 * @returns the same file system, whose `lock` holds that lock as well
 * @since 0.1.0
 */
export function withKernelLock({ fs, openEngine }: Pick<Env, 'fs' | 'openEngine'>): FileSystem {
  return {
    ...fs,
    lock: async (path) => {
      const lock = await fs.lock(path);
      try {
        const engine = await openEngine(`${path}/${kernelLockName}`);
        return {
          release: async () => {
            await engine.close();
            await lock.release();
          },
        };
      } catch (error) {
        await lock.release();
        throw error;
      }
    },
  };
}
