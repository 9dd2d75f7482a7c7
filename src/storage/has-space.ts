/** Looks for space on a disk in the one way that holds: takes it, and gives it back. */
import { Prng } from '../base/prng.js';
import type { FileSystem, StorageFile } from './file-system.js';

const pieceBytes = 256 * 1024;

/**
 * Never rejects: what cannot be written for another reason now is no space either.
 *
 * @param path - of a file that nobody misses
 * @param bytes - to look for
 * @since 0.1.0
 */
export async function hasSpaceFor(fs: FileSystem, path: string, bytes: number): Promise<boolean> {
  try {
    await fs.remove(path);
    const file = await fs.open(path, 'create');
    try {
      // Without a name its space is free again when the process ends, however it does.
      await fs.remove(path).catch(() => undefined);
      await fill(file, bytes);
    } finally {
      await file.close();
      // Where a file that is open cannot be removed.
      await fs.remove(path);
    }
    return true;
  } catch {
    return false;
  }
}

async function fill(file: StorageFile, bytes: number): Promise<void> {
  // A file system that compresses would find space for zeros.
  const random = new Prng(bytes);
  const words = Uint32Array.from({ length: pieceBytes / 4 }, () => random.u32());
  const piece = new Uint8Array(words.buffer);
  for (let at = 0; at < bytes; at += pieceBytes) await file.write(at, [piece]);
  await file.sync();
}
