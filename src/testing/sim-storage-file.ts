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
    return this.#run('readUs', () => {
      const { disk, file, path } = this.#on;
      if (disk.takeReadFault(file)) {
        throw kontikiError('STORAGE_IO', `read of ${path} failed (injected)`);
      }
      return file.read(offset, length);
    });
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
      this.#checkWritable(end, () => this.#writePart(offset, chunks));
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
      const fault = disk.takeSyncFault(file);
      file.settle(capture, fault === undefined ? 'durable' : (fault.data ?? 'lost'));
      this.#trace(fault === undefined ? 'fs.sync' : 'fs.sync-failed');
      const reports = fault === undefined ? 'success' : (fault.reports ?? 'STORAGE_IO');
      if (reports !== 'success') {
        throw kontikiError(reports, `sync of ${this.#on.path} failed (injected)`);
      }
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
    if (this.#open && this.#on.incarnation.alive) this.#on.disk.openFiles -= 1;
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
  #checkWritable(size: number, onFull: () => void = () => {}): void {
    const { disk, file, path, writable } = this.#on;
    if (!writable) throw kontikiError('STORAGE_IO', `${path} is open for reading only`);
    const growth = size - file.size;
    if (growth > 0 && disk.usedBytes + growth > disk.byteBudget) {
      onFull();
      throw kontikiError('NO_SPACE', `no space for ${growth} more bytes of ${path}`);
    }
  }

  /** What fits of a write that does not. */
  #writePart(offset: number, chunks: readonly Uint8Array[]): void {
    const { disk, file } = this.#on;
    if (!disk.partialWrites) return;
    let room = file.size + Math.max(0, disk.byteBudget - disk.usedBytes) - offset;
    const part: Uint8Array[] = [];
    for (const chunk of chunks) {
      if (room <= 0) break;
      part.push(chunk.subarray(0, room));
      room -= chunk.length;
    }
    file.write(offset, part);
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
