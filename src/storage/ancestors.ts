/**
 * The folders above a data directory. Its name, and theirs, are as durable as what is in it only once
 * each was synced in the folder above: a power loss that takes one takes all there is below.
 */
import { isKontikiError } from '../base/errors.js';
import type { FileSystem } from './file-system.js';
import { parentOf } from './parent-of.js';

/**
 * Why a folder cannot be synced whoever asks again. Without the right to read it nobody can open it for
 * that, and a file system that has no such call, as that of an image that nobody writes to, says EINVAL.
 */
const unsyncable: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EINVAL']);

/**
 * Whether the error of a platform says that a folder cannot be synced by this user, now or later. Of one
 * above the data directory that is no failure: a refusal would be the same at every open.
 *
 * @param error - with the platform's `code`
 * @since 0.1.0
 */
export function isUnsyncable(error: unknown): boolean {
  return unsyncable.has((error as { readonly code?: unknown } | undefined)?.code);
}

/**
 * Makes the name of a folder durable, or the names of all on the way to it, as far as this user can.
 *
 * @param fs - where it is
 * @param path - of the folder; each one above it is there
 * @param reach - `own`: only its own name; `all`: those of the folders above it, too, for whoever made
 *   them may have died before it synced them
 * @throws {KontikiError} STORAGE_IO, NO_SPACE
 * @since 0.1.0
 */
export async function syncNames(fs: FileSystem, path: string, reach: 'own' | 'all'): Promise<void> {
  const above = foldersAbove(path);
  for (const folder of reach === 'all' ? above : above.slice(0, 1)) {
    try {
      await fs.syncDirectory(folder);
    } catch (error) {
      if (!isKontikiError(error, 'STORAGE_IO') || !isUnsyncable(error.cause)) throw error;
    }
  }
}

/** Nearest first, up to the root, or to the working directory of a path that begins there. */
function foldersAbove(path: string): readonly string[] {
  const folders: string[] = [];
  let folder = path.replace(/\/+$/, '');
  while (folder !== '' && folder !== '/' && folder !== '.') {
    folder = parentOf(folder);
    folders.push(folder);
  }
  return folders;
}
