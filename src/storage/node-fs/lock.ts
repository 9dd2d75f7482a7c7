/**
 * Keeps two owners out of one data directory, before anything in it is touched. The lock is a file
 * that names its holder; a holder that died, however it died, is noticed by its process id and start
 * time, so nobody has to clean up after SIGKILL.
 *
 * Two processes that take over the same dead lock at the same moment may both believe they have it, and a
 * process of another container is taken for dead: its id means nothing here. Members hold a lock of the
 * kernel beside the file, and the second of the two ends there (`preset/kernel-lock.ts`).
 */
import { statSync } from 'node:fs';
import { link, readdir, readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { threadId } from 'node:worker_threads';
import { isKontikiError, type KontikiError, kontikiError } from '../../base/errors.js';
import type { DirectoryLock } from '../file-system.js';
import { ioError } from './io-error.js';

interface FolderId {
  readonly dev: bigint;
  readonly ino: bigint;
}

const heldSymbol = Symbol.for('kontiki.heldDirectories');
const shared = globalThis as unknown as { [heldSymbol]?: Map<string, FolderId> };

/**
 * Directories locked in this thread, and which folder each path led to then; those of other threads are
 * known by their file. Copies of this module share it: each may load an engine of its own, and to the
 * kernel all of a process are one.
 */
shared[heldSymbol] ??= new Map();
const held = shared[heldSymbol];

/** Of the file that is linked into place; see `takeFile`. */
const asidePattern = /^lock\.\d+\.\d+$/;

interface Holder {
  readonly pid: number;
  /** Boot of the machine, and start of the process in clock ticks since, where the platform tells. */
  readonly startedAt: string | undefined;
  /** Where its id means it: containers have ids of their own. `undefined` where the platform does not tell. */
  readonly space?: string | undefined;
  /** In its process. */
  readonly thread?: number | undefined;
}

/** Takes another lock on a directory. @throws {KontikiError} DIR_LOCKED, STORAGE_IO @since 0.1.0 */
export type TakeLock = (directory: string) => Promise<DirectoryLock>;

/**
 * @param takeBeside - takes a lock that is held along with the file; default: there is none
 * @throws {KontikiError} DIR_LOCKED, STORAGE_IO, what `takeBeside` throws
 * @since 0.1.0
 */
export async function lockDirectory(path: string, takeBeside?: TakeLock): Promise<DirectoryLock> {
  try {
    const directory = await realpath(path);
    const folder = statSync(directory, { bigint: true });
    // By whatever path: it may have been moved, or linked to, since.
    if (held.has(directory) || isHeld(folder)) throw locked(path, 'this process');
    held.set(directory, folder);
    let beside: DirectoryLock | undefined;
    try {
      beside = await take(directory, takeBeside);
    } catch (error) {
      held.delete(directory);
      throw error;
    }
    let released: Promise<void> | undefined;
    return {
      release: () => {
        released ??= release(directory, beside);
        return released;
      },
    };
  } catch (error) {
    throw isKontikiError(error) ? error : ioError(error, `lock ${path}`);
  }
}

/**
 * Who has a directory open, for tools that must not touch what somebody writes. Only looks.
 *
 * @param path - of the directory
 * @returns in words; `undefined` when nobody has
 * @since 0.1.0
 */
export async function lockHolder(path: string): Promise<string | undefined> {
  const holder = await readHolder(`${path}/lock`);
  if (holder === undefined) return undefined;
  // It cannot be asked whether it lives.
  if (await isElsewhere(holder)) return `process ${holder.pid} of another container`;
  return (await isAlive(holder)) ? `process ${holder.pid}` : undefined;
}

/**
 * To be called before anything is opened by its path below a locked directory. A directory that was moved
 * away is still there for the files that are open in it, but what its path leads to now may be another
 * member's: `mv data data.old`, and the next one is started, while this one still runs.
 *
 * @throws {KontikiError} STORAGE_IO, when the path leads elsewhere than when it was locked, or where it
 *   leads cannot be seen
 * @since 0.1.0
 */
export function checkInPlace(path: string): void {
  for (const directory of held.keys()) {
    if (!path.startsWith(`${directory}/`) || isSeenInPlace(directory)) continue;
    const message = `expected ${directory} to be the directory that was opened, but it was moved or replaced`;
    throw kontikiError('STORAGE_IO', message);
  }
}

function isHeld({ dev, ino }: FolderId): boolean {
  return [...held.values()].some((one) => one.dev === dev && one.ino === ino);
}

function isSeenInPlace(directory: string): boolean {
  try {
    return isInPlace(directory);
  } catch (error) {
    throw ioError(error, `look at ${directory}`);
  }
}

function isInPlace(directory: string): boolean {
  const was = held.get(directory);
  const now = statSync(directory, { bigint: true, throwIfNoEntry: false });
  return now !== undefined && now.dev === was?.dev && now.ino === was.ino;
}

/** @returns what is held beside the file, if anything is */
async function take(
  directory: string,
  takeBeside: TakeLock | undefined,
): Promise<DirectoryLock | undefined> {
  let beside: DirectoryLock | undefined;
  const besides =
    takeBeside &&
    (async () => {
      beside ??= await takeBeside(directory);
    });
  try {
    const own = await takeFile(directory, besides);
    await besides?.().catch(async (error: unknown) => {
      await removeFile(directory, own);
      throw error;
    });
    if (beside !== undefined) await clearAsides(directory);
    return beside;
  } catch (error) {
    await beside?.release();
    throw error;
  }
}

/**
 * @param takeBeside - called before the file of a holder that seems dead is removed: if it refuses, the
 *   holder lives, in another container, and keeps its file
 * @returns what is in the file now
 */
async function takeFile(
  directory: string,
  takeBeside: (() => Promise<void>) | undefined,
): Promise<string> {
  const file = `${directory}/lock`;
  const own = await thisThread();
  const text = `${JSON.stringify(own)}\n`;
  // Written aside and linked into place, so that nobody reads half of it.
  const aside = `${file}.${own.pid}.${threadId}`;
  try {
    for (let attempt = 0; ; attempt += 1) {
      await writeFile(aside, text, { mode: 0o600 });
      const isLinked = await linked(aside, file);
      if (isLinked === true) return text;
      // Cleared away by who has the directory: the file says who that is.
      if (isLinked === undefined && attempt < 3) continue;
      const holder = await readHolder(file);
      if (holder !== undefined && (await isAlive(holder))) {
        // Left by a close that could not remove it. Of another thread it stays: each may have loaded an engine
        // of its own, and to the kernel all of a process are one.
        const isLeft = takeBeside !== undefined && isSameThread(holder, own);
        if (!isLeft) throw locked(directory, `process ${holder.pid}`);
      }
      if (attempt === 3) throw locked(directory, 'a process that comes and goes');
      await takeBeside?.();
      await rm(file, { force: true });
    }
  } finally {
    await rm(aside, { force: true });
  }
}

/** What attempts left that were cut short: those of other containers cannot be asked whether they live. */
async function clearAsides(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (!asidePattern.test(name)) continue;
    await rm(`${directory}/${name}`, { force: true }).catch(() => undefined);
  }
}

/** Unless another one, who has the lock beside it, has put its own there. */
async function removeFile(directory: string, own: string): Promise<void> {
  const file = `${directory}/lock`;
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === own) await rm(file, { force: true });
}

async function thisThread(): Promise<Holder> {
  const { pid } = process;
  return { pid, startedAt: await startOf(pid), space: await ownSpace(), thread: threadId };
}

function isSameThread(holder: Holder, { pid, startedAt, thread }: Holder): boolean {
  return holder.pid === pid && holder.startedAt === startedAt && holder.thread === thread;
}

/** @returns `undefined` when there is nothing any more to be linked */
async function linked(from: string, to: string): Promise<boolean | undefined> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'EEXIST') return false;
    if (code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    const text = await readFile(file, 'utf8');
    const { pid, startedAt, space, thread } = JSON.parse(text) as Partial<Holder>;
    return typeof pid === 'number' ? { pid, startedAt, space, thread } : undefined;
  } catch {
    // Gone meanwhile, or not ours: nobody who is alive holds it.
    return undefined;
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as { code?: string }).code === 'ESRCH') return false;
  }
  // Process ids are used again, our own one after a restart of a container; the start time is not.
  if (holder.startedAt !== undefined) return holder.startedAt === (await startOf(holder.pid));
  return holder.pid !== process.pid;
}

/** Whether it was started since this machine was, where process ids are others. */
async function isElsewhere({ startedAt, space }: Holder): Promise<boolean> {
  const own = await ownSpace();
  if (space === undefined || own === undefined || space === own) return false;
  return startedAt?.split(' ')[0] === (await startOf(process.pid))?.split(' ')[0];
}

async function ownSpace(): Promise<string | undefined> {
  try {
    return await readlink('/proc/self/ns/pid');
  } catch {
    return undefined;
  }
}

/** Field 22 of /proc/PID/stat; the fields before it may hold spaces and parentheses. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'latin1');
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    return `${boot.trim()} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return undefined;
  }
}

async function release(directory: string, beside: DirectoryLock | undefined): Promise<void> {
  try {
    // What is there now may be another's lock on another folder.
    if (isInPlace(directory)) await rm(`${directory}/lock`, { force: true });
  } catch (error) {
    throw ioError(error, `unlock ${directory}`);
  } finally {
    // Behind it: whoever may lock now must not have its file removed.
    try {
      await beside?.release();
    } finally {
      held.delete(directory);
    }
  }
}

function locked(path: string, holder: string): KontikiError {
  const message = `expected ${path} for this store alone, but ${holder} has it open`;
  return kontikiError('DIR_LOCKED', message);
}
