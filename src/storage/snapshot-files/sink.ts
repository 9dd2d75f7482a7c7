/**
 * Writes one snapshot file: under a temporary name until all of it is on stable storage, so that a
 * file under its own name is whole.
 *
 * ```
 *   create tmp, write ..., sync, close   rename   sync the folder
 *   a crash up to here: tmp, removed at open      here: either     from here on: there
 * ```
 */
import { assert } from '../../base/assert.js';
import { kontikiError } from '../../base/errors.js';
import type { RunningHash } from '../../base/sha256.js';
import type { FileSystem, StorageFile } from '../file-system.js';
import type { SnapshotMeta, SnapshotSink } from '../snapshot-store.js';
import { beginTrailer, encodeFrameHead, hashedPart, sealTrailer } from './frame.js';
import { encodeHeader, type SnapshotHeader } from './header.js';
import { snapshotName, temporaryEnding } from './name.js';

/**
 * Written bytes after which the file is synced in between: a sync of a whole snapshot at its end
 * would stall the log, which shares the disk.
 */
const syncBytes = 8 * 1024 * 1024;

/** What a sink needs. @since 0.1.0 */
export interface SinkParts {
  readonly fs: FileSystem;
  readonly dir: string;
  readonly header: SnapshotHeader;
  readonly hash: RunningHash;
  /** Longer chunks are cut into several. */
  readonly chunkBytesMax: number;
  /** Called once, when the sink has ended; with the snapshot if it was committed. */
  readonly onEnd: (committed: SnapshotMeta | undefined) => void;
}

/**
 * A {@link SnapshotSink} over a file.
 *
 * @since 0.1.0
 */
export class SnapshotFileSink implements SnapshotSink {
  readonly #parts: SinkParts;
  readonly #file: StorageFile;
  readonly #path: string;
  readonly #headerCrc: number;
  #state: 'open' | 'failed' | 'ended' = 'open';
  #failure: unknown;
  /** The call under way; never rejects. */
  #busy: Promise<void> | undefined;
  #discarding: Promise<void> | undefined;
  #crc: number;
  #offset = 0;
  #unsynced = 0;
  #chunks = 0;
  #size = 0;
  /** The file has its own name, durably or not. */
  #isNamed = false;

  private constructor(parts: SinkParts, file: StorageFile, headerCrc: number) {
    this.#parts = parts;
    this.#file = file;
    this.#path = `${parts.dir}/${snapshotName(parts.header.last)}`;
    this.#headerCrc = headerCrc;
    this.#crc = headerCrc;
  }

  /** @throws {KontikiError} NO_SPACE, STORAGE_IO; nothing is left behind then */
  static async create(parts: SinkParts): Promise<SnapshotFileSink> {
    const { fs, dir, header } = parts;
    const temporary = `${dir}/${snapshotName(header.last)}${temporaryEnding}`;
    // Before there is a file, which one that cannot be encoded would leave open.
    const bytes = encodeHeader(fs.crc32, header);
    // Left over from a sink that could not be discarded.
    await fs.remove(temporary);
    const file = await fs.open(temporary, 'create');
    const { buffer, length } = bytes;
    const sink = new SnapshotFileSink(parts, file, new DataView(buffer).getUint32(length - 4));
    try {
      await sink.#append([bytes], bytes.length);
    } catch (error) {
      await file.close().catch(() => undefined);
      await fs.remove(temporary).catch(() => undefined);
      throw error;
    }
    return sink;
  }

  /** @throws {KontikiError} NO_SPACE, STORAGE_IO, CLOSED; or what an earlier call failed with */
  write(chunk: Uint8Array): Promise<void> {
    return this.#run(() => this.#write(chunk));
  }

  /** @throws {KontikiError} as `write` */
  commit(): Promise<SnapshotMeta> {
    return this.#run(() => this.#commit());
  }

  /** @throws {KontikiError} STORAGE_IO: a temporary file is left, which the next open removes */
  discard(): Promise<void> {
    this.#discarding ??= this.#discard();
    return this.#discarding;
  }

  async #run<T>(call: () => Promise<T>): Promise<T> {
    assert(this.#busy === undefined, 'a snapshot sink takes one call at a time');
    if (this.#state === 'failed') throw this.#failure;
    if (this.#state === 'ended' || this.#discarding !== undefined) {
      throw kontikiError('CLOSED', 'the snapshot is committed or discarded');
    }
    const running = call();
    const busy = running.then(noop, noop);
    this.#busy = busy;
    try {
      return await running;
    } catch (error) {
      this.#state = 'failed';
      this.#failure = error;
      throw error;
    } finally {
      this.#busy = undefined;
    }
  }

  async #write(chunk: Uint8Array): Promise<void> {
    const { fs, chunkBytesMax } = this.#parts;
    for (let from = 0; from < chunk.length; from += chunkBytesMax) {
      const data = chunk.subarray(from, from + chunkBytesMax);
      const head = encodeFrameHead(fs.crc32, data, this.#crc);
      await this.#append([head.bytes, data], head.bytes.length + data.length);
      this.#crc = head.crc;
      this.#chunks += 1;
      this.#size += data.length;
    }
  }

  async #append(parts: readonly Uint8Array[], length: number): Promise<void> {
    for (const part of parts) this.#parts.hash.update(part);
    await this.#file.write(this.#offset, parts);
    this.#offset += length;
    this.#unsynced += length;
    if (this.#unsynced < syncBytes) return;
    this.#unsynced = 0;
    await this.#file.sync();
  }

  async #commit(): Promise<SnapshotMeta> {
    const { fs, dir, hash, header } = this.#parts;
    const trailer = beginTrailer({ chunks: this.#chunks, size: this.#size });
    hash.update(hashedPart(trailer));
    sealTrailer(fs.crc32, trailer, hash.digest(), this.#headerCrc);
    await this.#file.write(this.#offset, [trailer]);
    await this.#file.sync();
    await this.#file.close();
    await fs.rename(this.#path + temporaryEnding, this.#path);
    this.#isNamed = true;
    await fs.syncDirectory(dir);
    this.#state = 'ended';
    const { last, configuration } = header;
    const meta: SnapshotMeta = { last, configuration, size: this.#size };
    this.#parts.onEnd(meta);
    return meta;
  }

  async #discard(): Promise<void> {
    await this.#busy;
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    try {
      await this.#file.close();
      await this.#parts.fs.remove(this.#path + temporaryEnding);
      // The sync of the folder failed, after the rename.
      if (this.#isNamed) await this.#parts.fs.remove(this.#path);
    } finally {
      this.#parts.onEnd(undefined);
    }
  }
}

function noop(): void {}
