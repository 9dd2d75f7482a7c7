/**
 * Folders whose names survive a power loss.
 */
import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Creates a folder and the missing ones above it. Each that was missing gets its name synced in the
 * one above: the caller knows the last of them only, and a power loss that takes one of the others
 * takes all there is in it.
 *
 * @param sync - makes the names in a folder durable
 * @since 0.1.0
 */
export async function makeDirectory(
  path: string,
  sync: (folder: string) => Promise<void> = syncDirectory,
): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
    await sync(folder);
    if (folder === top || folder === dirname(folder)) return;
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
