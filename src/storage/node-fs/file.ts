/**
 * One open file. The callback functions of `node:fs` are used: promises of `node:fs/promises` cost
 * more than the system call on a warm page cache.
 */
import { close, fdatasync, fstat, ftruncate, read, writev } from 'node:fs';
import { kontikiError } from '../../base/errors.js';
import type { StorageFile } from '../file-system.js';
import { ioError } from './io-error.js';

/** @since 0.1.0 */
export class NodeFile implements StorageFile {
  readonly #fd: number;
  readonly #path: string;
  /** Why the file must not be written any more: a failed sync may have dropped data silently. */
  #failure: unknown;
  #closing: Promise<void> | undefined;

  /** @param fd - owned by the object from here on */
  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fstat(this.#fd, (error, stats) => {
        if (error) reject(ioError(error, `stat ${this.#path}`));
        else resolve(stats.size);
      });
    });
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
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

  async write(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    this.#checkUsable('write');
    let rest = chunks;
    let position = offset;
    while (rest.length > 0) {
      const written = await this.#writeSome(rest, position);
      position += written;
      rest = after(rest, written);
    }
  }

  #writeSome(chunks: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      writev(this.#fd, chunks as Uint8Array[], position, (error, written) => {
        if (error) reject(ioError(error, `write ${this.#path}`));
        else resolve(written);
      });
    });
  }

  sync(): Promise<void> {
    this.#checkUsable('sync');
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, (error) => {
        if (!error) return resolve();
        // The kernel may have marked the pages clean: a second sync would succeed and prove nothing
        // (Rebello et al., ATC'20).
        this.#failure = error;
        reject(ioError(error, `sync ${this.#path}`));
      });
    });
  }

  truncate(size: number): Promise<void> {
    this.#checkUsable('truncate');
    return new Promise((resolve, reject) => {
      ftruncate(this.#fd, size, (error) => {
        if (error) reject(ioError(error, `truncate ${this.#path}`));
        else resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.#closing ??= new Promise((resolve, reject) => {
      close(this.#fd, (error) => {
        if (error) reject(ioError(error, `close ${this.#path}`));
        else resolve();
      });
    });
    await this.#closing;
  }

  #checkUsable(what: string): void {
    if (this.#failure === undefined) return;
    const message = `${what} ${this.#path}: an earlier sync of this file failed`;
    throw kontikiError('STORAGE_IO', message, { cause: this.#failure });
  }
}

/** The chunks without their first `count` bytes. */
function after(chunks: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  for (let at = 0; at < chunks.length; at += 1) {
    const chunk = chunks[at] as Uint8Array;
    if (left < chunk.length) return [chunk.subarray(left), ...chunks.slice(at + 1)];
    left -= chunk.length;
  }
  return [];
}
