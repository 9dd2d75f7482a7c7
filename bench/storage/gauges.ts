/**
 * What a process and a folder hold at this moment, as the system counts it.
 */
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of a mebibyte. */
export const MiB = 1024 * 1024;

/** Bytes that this process has made the kernel write to disks so far; 0 where nobody counts. */
export function bytesWritten(): number {
  try {
    return Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Open descriptors of this process; 0 where nobody counts. */
export function descriptors(): number {
  try {
    // One of them is that of the listing.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return 0;
  }
}

/** Bytes that the files below a folder occupy, zeros that were written ahead included. */
export function diskBytes(folder: string): number {
  let bytes = 0;
  for (const entry of entriesOf(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) bytes += diskBytes(path);
    else bytes += 512 * (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0);
  }
  return bytes;
}

/** A folder may go while its owner works. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return [];
    throw error;
  }
}

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Memory after everything that can go went, in bytes. */
export function memory(): { readonly resident: number; readonly heap: number } {
  gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, heap: heapUsed + external };
}
