/**
 * One open file. The callback functions of `node:fs` are used: promises of `node:fs/promises` cost
 * more than the system call on a warm page cache. Files that puts wait for write on a thread of their own.
 */
import { close, fdatasync, fstat, ftruncate, read, writev } from 'node:fs';
import { isKontikiError, kontikiError } from '../../base/errors.js';
import type { StorageFile, WriteOptions } from '../file-system.js';
import { ioError } from './io-error.js';

/** Calls that change a file; the callbacks are those of `node:fs`. @since 0.1.0 */
export interface FileCalls {
  /** Tells the number of bytes written, which may be fewer than there are. */
  write(fd: number, chunks: readonly Uint8Array[], place: WritePlace, onDone: OnDone): void;
  sync(fd: number, onDone: OnDone): void;
  /** After all that was asked for before: the number may be another file's next. */
  close(fd: number, onDone: OnDone): void;
}

/** Where a write goes. @since 0.1.0 */
export interface WritePlace {
  readonly position: number;
  /** A sync will be asked for behind it, and may be done along with it. */
  readonly thenSync: boolean;
}

/**
 * Takes what a call gave, or why it failed; and of a sync that was done along with a write why that
 * failed, `null` when it did not.
 *
 * @since 0.1.0
 */
export type OnDone = (error: Error | null, result?: number, synced?: Error | null) => void;

/** On the pool of threads of the process. @since 0.1.0 */
export const fileCalls: FileCalls = {
  write: (fd, chunks, { position }, onDone) => {
    writev(fd, chunks as Uint8Array[], position, (error, written) => onDone(error, written));
  },
  sync: fdatasync,
  close,
};

/**
 * An open file of the platform.
 *
 * @since 0.1.0
 */
export class NodeFile implements StorageFile {
  readonly #fd: number;
  readonly #path: string;
  readonly #calls: FileCalls;
  /**
   * The call that failed, and why: nobody knows what the file holds now. A failed sync may have
   * dropped data silently; a write that failed for another reason than space, part of it.
   */
  #failure: { readonly call: 'sync' | 'write'; readonly cause: unknown } | undefined;
  /** How a sync ended that covers all writes that settled, and that nobody asked for yet. */
  #synced: Error | null | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @param fd - owned by the object from here on
   * @param calls - where it is written
   */
  constructor(fd: number, path: string, calls: FileCalls) {
    this.#fd = fd;
    this.#path = path;
    this.#calls = calls;
  }

  async size(): Promise<number> {
    this.#checkOpen('stat');
    return new Promise((resolve, reject) => {
      fstat(this.#fd, (error, stats) => {
        if (error) reject(ioError(error, `stat ${this.#path}`));
        else resolve(stats.size);
      });
    });
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.#checkOpen('read');
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const count = await this.#readSome(bytes, done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done === length ? bytes : bytes.slice(0, done);
  }

  #readSome(bytes: Uint8Array, at: number, position: number): Promise<number> {
    // Linux moves at most 2 GiB at a time.
    const length = Math.min(bytes.length - at, 2 ** 30);
    return new Promise((resolve, reject) => {
      read(this.#fd, bytes, at, length, position, (error, count) => {
        if (error) reject(ioError(error, `read ${this.#path}`));
        else resolve(count);
      });
    });
  }

  /**
   * A full disk leaves the file usable: what was asked for may be cut off or written again. After any
   * other failure it is only cut, and closed.
   */
  async write(
    offset: number,
    chunks: readonly Uint8Array[],
    { thenSync = false }: WriteOptions = {},
  ): Promise<void> {
    this.#checkWritable('write');
    try {
      await this.#writeAll(offset, chunks, thenSync);
    } catch (cause) {
      if (!isKontikiError(cause, 'NO_SPACE')) this.#failure ??= { call: 'write', cause };
      throw cause;
    }
  }

  async #writeAll(offset: number, chunks: readonly Uint8Array[], thenSync: boolean): Promise<void> {
    let rest = chunks.filter((chunk) => chunk.length > 0);
    let position = offset;
    while (rest.length > 0) {
      // More chunks than one system call takes are written by several, by the platform.
      const written = await this.#writeSome(rest, { position, thenSync });
      if (written === 0) throw ioError(new Error('nothing was written'), `write ${this.#path}`);
      position += written;
      rest = after(rest, written);
    }
  }

  #writeSome(chunks: Uint8Array[], place: WritePlace): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#calls.write(this.#fd, chunks, place, (error, written = 0, synced) => {
        this.#noteSync(synced);
        if (error) reject(ioError(error, `write ${this.#path}`));
        else resolve(written);
      });
    });
  }

  /** One that failed is kept until it was asked for: nothing may come in between and hide it. */
  #noteSync(synced: Error | null | undefined): void {
    if (!(this.#synced instanceof Error)) this.#synced = synced;
  }

  async sync(): Promise<void> {
    this.#checkWritable('sync');
    const synced = this.#synced;
    this.#synced = undefined;
    return new Promise((resolve, reject) => {
      const onDone = (error: Error | null): void => {
        if (!error) return resolve();
        // The kernel may have marked the pages clean: a second sync would succeed and prove nothing
        // (Rebello et al., ATC'20).
        this.#failure ??= { call: 'sync', cause: error };
        reject(ioError(error, `sync ${this.#path}`));
      };
      if (synced === undefined) this.#calls.sync(this.#fd, onDone);
      else onDone(synced);
    });
  }

  async truncate(size: number): Promise<void> {
    // What is left of a failed write is worth cutting off, whatever became of the rest.
    if (this.#failure?.call === 'write') this.#checkOpen('truncate');
    else this.#checkWritable('truncate');
    this.#noteSync(undefined);
    return new Promise((resolve, reject) => {
      ftruncate(this.#fd, size, (error) => {
        if (error) reject(ioError(error, `truncate ${this.#path}`));
        else resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.#closing ??= new Promise((resolve, reject) => {
      this.#calls.close(this.#fd, (error) => {
        if (error) reject(ioError(error, `close ${this.#path}`));
        else resolve();
      });
    });
    await this.#closing;
  }

  #checkWritable(what: string): void {
    this.#checkOpen(what);
    if (this.#failure === undefined) return;
    const { call, cause } = this.#failure;
    const message = `${what} ${this.#path}: an earlier ${call} of this file failed`;
    throw kontikiError('STORAGE_IO', message, { cause });
  }

  /** The number of a closed file may already be that of another one. */
  #checkOpen(what: string): void {
    if (this.#closing === undefined) return;
    throw kontikiError('STORAGE_IO', `${what} ${this.#path}: the file is closed`);
  }
}

/** The chunks, none of them empty, without their first `count` bytes. */
function after(chunks: Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  for (const [at, chunk] of chunks.entries()) {
    if (left < chunk.length) return [chunk.subarray(left), ...chunks.slice(at + 1)];
    left -= chunk.length;
  }
  return [];
}
