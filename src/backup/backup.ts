/**
 * A backup as it leaves a member: header, chunks, trailer, made while they are asked for. Nothing is
 * captured, and nothing held, before the first chunk is.
 */
import { concatBytes } from '../base/bytes.js';
import type { Crc32 } from '../base/crc32.js';
import { kontikiError } from '../base/errors.js';
import type { RunningHash } from '../base/sha256.js';
import {
  beginTrailer,
  encodeFrameHead,
  hashedPart,
  sealTrailer,
} from '../storage/snapshot-files/frame.js';
import { type BackupInfo, encodeBackupHeader } from './header.js';

/** A state that was captured, as a stream. @since 0.1.0 */
export interface BackupSource {
  readonly info: BackupInfo;
  /** The next bytes, to be used before the next call; `undefined` at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Called once. */
  close(): Promise<void>;
}

/** How a platform computes what protects a backup. @since 0.1.0 */
export interface Checksums {
  readonly crc32: Crc32;
  readonly sha256: () => RunningHash;
}

/** @since 0.1.0 */
export interface BackupParts extends Checksums {
  /** Captures the state; called once, for the first chunk. */
  readonly open: () => Promise<BackupSource>;
  /** Makes a chunk, when there is time for it. */
  readonly paced: <T>(make: () => Promise<T>) => Promise<T>;
  readonly signal?: AbortSignal | undefined;
}

const ended: IteratorResult<Uint8Array, undefined> = { done: true, value: undefined };

/**
 * A whole store at one revision, to be iterated once: the chunks, one after the other, are the file. They
 * belong to whoever takes them. Only when the iteration has ended by itself is the backup whole; one
 * that was cut short is refused by every restore.
 *
 * The state that it shows is kept from being freed until then: who stops earlier leaves the loop, or
 * calls `return` of the iterator.
 *
 * @since 0.1.0
 * @example await writeFile('store.backup', store.backup());
 */
export class Backup implements AsyncIterable<Uint8Array> {
  readonly #parts: BackupParts;
  #iteration: BackupIteration | undefined;

  /** @param parts - see {@link BackupParts} */
  constructor(parts: BackupParts) {
    this.#parts = parts;
  }

  /** What it is of; `undefined` before the first chunk. */
  get info(): BackupInfo | undefined {
    return this.#iteration?.info;
  }

  /** @throws {KontikiError} ITERATOR_BUSY the second time */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    if (this.#iteration !== undefined) {
      throw kontikiError('ITERATOR_BUSY', 'backup: iterated already; take another one');
    }
    this.#iteration = new BackupIteration(this.#parts);
    return this.#iteration;
  }
}

class BackupIteration implements AsyncIterator<Uint8Array, undefined> {
  info: BackupInfo | undefined;
  readonly #parts: BackupParts;
  readonly #hash: RunningHash;
  #source: BackupSource | undefined;
  #state: 'header' | 'chunks' | 'done' = 'header';
  /** Calls wait for those before. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  #headerCrc = 0;
  #crc = 0;
  #chunks = 0;
  #size = 0;

  constructor(parts: BackupParts) {
    this.#parts = parts;
    this.#hash = parts.sha256();
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return this.#inTurn(() => this.#step());
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    return this.#inTurn(async () => {
      await this.#end();
      return ended;
    });
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #step(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#state === 'done') return ended;
    try {
      this.#parts.signal?.throwIfAborted();
      const value =
        this.#state === 'header'
          ? await this.#header()
          : await this.#parts.paced(() => this.#chunk());
      return { done: false, value };
    } catch (error) {
      await this.#end().catch(() => undefined);
      throw error;
    }
  }

  async #header(): Promise<Uint8Array> {
    const { crc32, open } = this.#parts;
    this.#source = await open();
    this.info = this.#source.info;
    const bytes = encodeBackupHeader(crc32, this.info);
    this.#headerCrc = new DataView(bytes.buffer).getUint32(bytes.length - 4);
    this.#crc = this.#headerCrc;
    this.#hash.update(bytes);
    this.#state = 'chunks';
    return bytes;
  }

  /** The next one, or the trailer behind the last. */
  async #chunk(): Promise<Uint8Array> {
    const { crc32 } = this.#parts;
    const data = await this.#source?.next();
    if (data === undefined) return this.#trailer();
    const head = encodeFrameHead(crc32, data, this.#crc);
    this.#crc = head.crc;
    this.#chunks += 1;
    this.#size += data.length;
    const bytes = concatBytes([head.bytes, data]);
    this.#hash.update(bytes);
    return bytes;
  }

  async #trailer(): Promise<Uint8Array> {
    const trailer = beginTrailer({ chunks: this.#chunks, size: this.#size });
    this.#hash.update(hashedPart(trailer));
    sealTrailer(this.#parts.crc32, trailer, this.#hash.digest(), this.#headerCrc);
    await this.#end();
    return trailer;
  }

  async #end(): Promise<void> {
    this.#state = 'done';
    const source = this.#source;
    this.#source = undefined;
    await source?.close();
  }
}
