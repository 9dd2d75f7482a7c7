/**
 * A lock of the kernel on a data directory. The lock file names a process, and a process of another
 * container cannot be asked whether it lives: its id is looked up here and means somebody else, or nobody.
 * LevelDB holds a lock that the kernel keeps, and lets go of however its process ends. It is that of an
 * empty engine: the store's own is verified before LevelDB locks it, and while another one writes to it
 * that would look like damage; a member with a state machine of its own has none.
 */
import { rmdir } from 'node:fs/promises';
import { systemTimers } from '../base/clock.js';
import { isKontikiError } from '../base/errors.js';
import { sleep } from '../base/sleep.js';
import type { Env } from '../node/env.js';
import type { FileSystem } from '../storage/file-system.js';
import type { KvEngine } from '../storage/kv-engine.js';
import type { TakeLock } from '../storage/node-fs/lock.js';

/** Folder of the empty engine in the data directory. */
const kernelLockName = 'lock.d';
/** The file in it that LevelDB locks. */
const lockedName = 'LOCK';
/** How often it is tried, and milliseconds in between: a close takes some. */
const [attempts, pauseMs] = [5, 40];

/**
 * @param storage - whose engine holds a lock as long as it is open
 * @returns takes that lock
 * @since 0.1.0
 */
export function kernelLock(storage: Pick<Env, 'fs' | 'openEngine'>): TakeLock {
  return async (directory) => {
    const path = `${directory}/${kernelLockName}`;
    const engine = await openFree(storage, path);
    return {
      release: async () => {
        // As long as it is held, so that it is nobody else's. What stays does no harm.
        await remove(storage.fs, path).catch(() => undefined);
        await engine.close();
      },
    };
  };
}

/** File by file: another one may be made there as soon as the one that is locked has no name any more. */
async function remove(fs: FileSystem, path: string): Promise<void> {
  await clear(fs, path);
  await fs.remove(`${path}/${lockedName}`);
  await rmdir(path);
}

/**
 * One that closes lets go of the lock file before this lock, and who finds no file comes in between.
 *
 * @throws {KontikiError} DIR_LOCKED, when somebody keeps it
 */
async function openFree(storage: Pick<Env, 'fs' | 'openEngine'>, path: string): Promise<KvEngine> {
  for (let left = attempts; ; left -= 1) {
    try {
      return await openEmpty(storage, path);
    } catch (error) {
      if (!isKontikiError(error, 'DIR_LOCKED') || left === 1) throw error;
      await sleep(systemTimers, pauseMs);
    }
  }
}

/** Damage there must not cost a member its place: nothing is lost with it. */
async function openEmpty(
  { fs, openEngine }: Pick<Env, 'fs' | 'openEngine'>,
  path: string,
): Promise<KvEngine> {
  try {
    return await openEngine(path);
  } catch (error) {
    if (!isKontikiError(error, 'STATE_CORRUPT') && !isKontikiError(error, 'STORAGE_IO'))
      throw error;
    await clear(fs, path);
    return openEngine(path);
  }
}

/** The file that is locked stays: of two that try this at once, both would have one. */
async function clear(fs: FileSystem, path: string): Promise<void> {
  for (const name of await fs.list(path)) {
    if (name !== lockedName) await fs.remove(`${path}/${name}`);
  }
}
