/**
 * A handle on a simulated file. Effects take place when an operation completes, not when it is
 * called, so that a caller who does not wait for a write and syncs gets what the contract promises:
 * nothing.
 */
import { assert } from '../base/assert.js';
import { crc32 } from '../base/crc32.js';
import { kontikiError } from '../base/errors.js';
import type { StorageFile } from '../storage/file-system.js';
import type { Incarnation } from './incarnation.js';
import type { PagedFile } from './paged-file.js';
import type { SimDisk } from './sim-disk.js';

/** Longer writes count by their length alone in the trace hash: zero-filling would cost too much. */
const tracedBytesMax = 65_536;

interface ByteRange {
  readonly from: number;
  readonly end: number;
}

/**
 * What a handle is on.
 *
 * @since 0.1.0
 */
export interface OpenFile {
  readonly disk: SimDisk;
  readonly incarnation: Incarnation;
  readonly file: PagedFile;
  /** As it was opened; for messages and the trace. */
  readonly path: string;
  readonly writable: boolean;
}

/**
 * One open handle of one incarnation.
 *
 * @since 0.1.0
 */
export class SimStorageFile implements StorageFile {
  readonly #on: OpenFile;
  readonly #writing = new Set<ByteRange>();
  #open = true;

  /**
   * @param on - see {@link OpenFile}
   */
  constructor(on: OpenFile) {
    this.#on = on;
  }

  size(): Promise<number> {
    return this.#run('nameUs', () => this.#on.file.size);
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#run('readUs', () => this.#on.file.read(offset, length));
  }

  write(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    let end = offset;
    for (const chunk of chunks) end += chunk.length;
    const range = { from: offset, end };
    if (!this.#on.incarnation.alive) return this.#run('writeUs', () => {});
    for (const other of this.#writing) {
      assert(end <= other.from || offset >= other.end, `writes overlap in ${this.#on.path}`);
    }
    this.#writing.add(range);
    return this.#run('writeUs', () => {
      this.#writing.delete(range);
      this.#checkWritable(end);
      this.#on.file.write(offset, chunks);
      this.#trace('fs.write', offset, end - offset, checksum(chunks, end - offset));
    });
  }

  sync(): Promise<void> {
    const { disk, file, incarnation } = this.#on;
    if (!this.#open || !incarnation.alive) return this.#run('nameUs', () => {});
    const capture = file.capture();
    const { nowUs } = incarnation.scheduler;
    // Syncs of one file end in the order of their calls: a later one covers an earlier one's data.
    file.syncEndUs = Math.max(file.syncEndUs, nowUs + disk.delayUs('syncUs'));
    return incarnation.settle(file.syncEndUs - nowUs, () => {
      const failed = disk.takeSyncFailure(file);
      file.settle(capture, failed ? 'lost' : 'durable');
      this.#trace(failed ? 'fs.sync-failed' : 'fs.sync');
      if (failed) throw kontikiError('STORAGE_IO', `sync of ${this.#on.path} failed (injected)`);
    });
  }

  truncate(size: number): Promise<void> {
    return this.#run('nameUs', () => {
      this.#checkWritable(size);
      this.#on.file.truncate(size);
      this.#trace('fs.truncate', size);
    });
  }

  close(): Promise<void> {
    this.#open = false;
    return this.#on.incarnation.settle(this.#on.disk.delayUs('nameUs'), () => {});
  }

  #run<T>(latency: 'nameUs' | 'readUs' | 'writeUs', effect: () => T): Promise<T> {
    const isOpen = this.#open;
    return this.#on.incarnation.settle(this.#on.disk.delayUs(latency), () => {
      if (!isOpen) throw kontikiError('STORAGE_IO', `${this.#on.path} is closed`);
      return effect();
    });
  }

  /** Whether the file may become `size` bytes long, if it is shorter now. */
  #checkWritable(size: number): void {
    const { disk, file, path, writable } = this.#on;
    if (!writable) throw kontikiError('STORAGE_IO', `${path} is open for reading only`);
    const growth = size - file.size;
    if (growth > 0 && disk.usedBytes + growth > disk.byteBudget) {
      throw kontikiError('NO_SPACE', `no space for ${growth} more bytes of ${path}`);
    }
  }

  #trace(kind: string, ...numbers: readonly number[]): void {
    const { incarnation, path } = this.#on;
    incarnation.scheduler.trace(kind, incarnation.machine, path, ...numbers);
  }
}

function checksum(chunks: readonly Uint8Array[], length: number): number {
  if (length > tracedBytesMax) return 0;
  return chunks.reduce((sum, chunk) => crc32(chunk, sum), 0);
}
