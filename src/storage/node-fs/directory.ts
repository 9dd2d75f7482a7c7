/**
 * Folders whose names survive a power loss.
 */
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isUnsyncable } from '../ancestors.js';

/**
 * Creates a folder and the missing ones above it. Each that was missing gets its name synced in the
 * one above: the caller knows the last of them only, and a power loss that takes one of the others
 * takes all there is in it. One that this user may not read is passed over, for it cannot be synced.
 *
 * @param sync - makes the names in a folder durable
 * @since 0.1.0
 */
export async function makeDirectory(
  path: string,
  sync: (folder: string) => Promise<void> = syncDirectory,
): Promise<void> {
  const missing = await missingFolders(path);
  // One by one: Node's `recursive` never ends where the system says that a folder is missing in one that
  // is there, as Linux does below /proc.
  for (const folder of missing.toReversed()) await makeFolder(folder);
  for (const folder of missing) {
    await sync(dirname(resolve(folder))).catch((error: unknown) => {
      if (!isUnsyncable(error)) throw error;
    });
  }
}

/** A folder and those above it, deepest first, as far as there is nothing of their names. */
async function missingFolders(path: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (let folder = path; ; folder = dirname(folder)) {
    if (await isFolder(folder)) return missing;
    missing.push(folder);
    if (folder === dirname(folder)) return missing;
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!(await isFolder(path))) throw error;
  }
}

/** Follows links. A file is none, which who makes one in its place is told. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Makes the names in a folder durable.
 *
 * @since 0.1.0
 */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
