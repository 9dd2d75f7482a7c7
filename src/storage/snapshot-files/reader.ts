/** Reads a file of chunks from its beginning, each verified before it is handed out. */
import { assert } from '../../base/assert.js';
import { equalBytes } from '../../base/bytes.js';
import type { RunningHash } from '../../base/sha256.js';
import type { FileSystem, StorageFile } from '../file-system.js';
import { encodeFrameHead, frameHeadBytes, hashedPart, trailerBytes } from './frame.js';
import type { FramedHeader, FramedKind } from './framed-kind.js';
import { type FramedEnds, readEnds } from './inspect.js';

/** Read at a time; a longer chunk is read in one piece, once its length is known to be right. */
const windowBytes = 1024 * 1024;

const wrongChecksum = 'the checksum of a chunk is wrong';
const becameShorter = 'it became shorter while it was read';
const ended: IteratorResult<Uint8Array> = { done: true, value: undefined };

/** What a reader needs. @since 0.1.0 */
export interface ReaderParts<H extends FramedHeader> {
  readonly fs: FileSystem;
  readonly path: string;
  readonly kind: FramedKind<H>;
  readonly hash: RunningHash;
  /** Called when the file is opened; what it returns is called when it is closed. */
  readonly onOpen?: (() => () => void) | undefined;
}

/**
 * One pass over a file. The chunks are views into what was read, which nobody else uses.
 *
 * @since 0.1.0
 */
export class FramedFileReader<H extends FramedHeader>
  implements AsyncIterator<Uint8Array, undefined>
{
  readonly #parts: ReaderParts<H>;
  #file: StorageFile | undefined;
  #onClose: (() => void) | undefined;
  #ends: FramedEnds<H> | undefined;
  #isDone = false;
  #isBusy = false;
  #window: Uint8Array = new Uint8Array(0);
  /** Of the window's first byte in the file. */
  #windowAt = 0;
  #offset = 0;
  #crc = 0;
  #chunks = 0;

  /** @param parts - see {@link ReaderParts} */
  constructor(parts: ReaderParts<H>) {
    this.#parts = parts;
  }

  /** Both ends of the file, once `next` was called. */
  get ends(): FramedEnds<H> | undefined {
    return this.#ends;
  }

  /** @throws {KontikiError} SNAPSHOT_CORRUPT, FORMAT_UNSUPPORTED, STORAGE_IO */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isDone) return ended;
    assert(!this.#isBusy, 'a file is read one chunk at a time');
    this.#isBusy = true;
    try {
      const ends = this.#ends ?? (await this.#open());
      if (this.#offset < ends.trailerAt) return { done: false, value: await this.#chunk(ends) };
      await this.#checkEnd(ends);
      await this.#close();
      return ended;
    } catch (error) {
      await this.#close().catch(noop);
      throw error;
    } finally {
      this.#isBusy = false;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#close();
    return ended;
  }

  async #open(): Promise<FramedEnds<H>> {
    const { fs, hash, kind, path, onOpen } = this.#parts;
    this.#onClose = onOpen?.();
    this.#file = await fs.open(path, 'read');
    const ends = await readEnds(fs, path, this.#file, kind);
    this.#ends = ends;
    this.#crc = ends.header.crc;
    hash.update(await this.#bytes(ends.header.size));
    return ends;
  }

  async #chunk(ends: FramedEnds<H>): Promise<Uint8Array> {
    const { fs, hash, kind, path } = this.#parts;
    const from = this.#offset;
    const damaged = (what: string) => kind.damaged(path, from, what);
    if (ends.trailerAt - from < frameHeadBytes) throw damaged('a chunk is cut');
    const head = await this.#bytes(frameHeadBytes);
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const length = view.getUint32(0);
    const crc = view.getUint32(4);
    // Before anything is allocated for it.
    const { chunkBytesMax } = kind;
    const longest = Math.min(chunkBytesMax ?? Infinity, ends.trailerAt - this.#offset);
    if (length === 0 || length > longest) {
      throw damaged(`the length of a chunk is wrong: ${length}`);
    }
    if (chunkBytesMax === undefined && length > windowBytes) {
      const seed = fs.crc32(head.subarray(0, 4), this.#crc);
      if (crc !== (await this.#crcAhead(length, seed))) throw damaged(wrongChecksum);
    }
    const data = await this.#bytes(length);
    const expected = encodeFrameHead(fs.crc32, data, this.#crc).crc;
    if (crc !== expected) throw damaged(wrongChecksum);
    hash.update(head);
    hash.update(data);
    this.#crc = crc;
    this.#chunks += 1;
    return data;
  }

  async #checkEnd({ trailer, trailerAt }: FramedEnds<H>): Promise<void> {
    const { hash, kind, path } = this.#parts;
    const bytes = await this.#bytes(trailerBytes);
    hash.update(hashedPart(bytes));
    if (this.#chunks !== trailer.chunks) {
      throw kind.damaged(path, trailerAt, `it has ${this.#chunks} chunks`);
    }
    if (!equalBytes(trailer.hash, hash.digest())) {
      throw kind.damaged(path, trailerAt, 'the hash over all of it is wrong');
    }
  }

  /** Of the next bytes, which are read a window at a time: their number may be wrong. */
  async #crcAhead(length: number, seed: number): Promise<number> {
    const { fs, kind, path } = this.#parts;
    const file = this.#file as StorageFile;
    const end = this.#offset + length;
    let crc = seed;
    for (let at = this.#offset; at < end; at += windowBytes) {
      const size = Math.min(windowBytes, end - at);
      const bytes = await file.read(at, size);
      if (bytes.length < size) throw kind.damaged(path, at, becameShorter);
      crc = fs.crc32(bytes, crc);
    }
    return crc;
  }

  /** The next bytes of the file; a view. */
  async #bytes(length: number): Promise<Uint8Array> {
    let at = this.#offset - this.#windowAt;
    if (at + length > this.#window.length) {
      const file = this.#file as StorageFile;
      this.#window = await file.read(this.#offset, Math.max(length, windowBytes));
      this.#windowAt = this.#offset;
      at = 0;
      if (this.#window.length < length) {
        const { kind, path } = this.#parts;
        throw kind.damaged(path, this.#offset, becameShorter);
      }
    }
    this.#offset += length;
    return this.#window.subarray(at, at + length);
  }

  async #close(): Promise<void> {
    this.#isDone = true;
    const file = this.#file;
    this.#file = undefined;
    this.#onClose?.();
    this.#onClose = undefined;
    await file?.close();
  }
}

function noop(): void {}
