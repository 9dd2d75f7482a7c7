/**
 * Finds frames in a stream that arrives in pieces of any size. A frame inside one piece is a view of
 * it; one that spans pieces is gathered in a buffer that grows with the bytes that really came, so
 * no byte is copied more than a few times and a claimed size costs nothing by itself.
 */
import { assert } from '../base/assert.js';
import type { Crc32 } from '../base/crc32.js';
import { frameHeaderBytes, frameSize, openFrame } from './frame.js';

const nothing = new Uint8Array(0);
const firstBufferBytes = 4 * 1024;
/** A larger buffer is not kept for the next frame. */
const keptBufferBytes = 256 * 1024;

/**
 * An incremental parser of frames. After it has thrown it must not be used again.
 *
 * @since 0.1.0
 */
export class FrameParser {
  /** Largest payload that is accepted, in bytes; may be changed between frames. */
  payloadBytesMax: number;
  readonly #crc32: Crc32;
  #chunk: Uint8Array = nothing;
  #at = 0;
  #buffer: Uint8Array = nothing;
  /** Bytes of an unfinished frame in the buffer. */
  #filled = 0;

  /**
   * @param payloadBytesMax - largest payload, in bytes
   * @param crc32 - checksum function
   */
  constructor(payloadBytesMax: number, crc32: Crc32) {
    this.payloadBytesMax = payloadBytesMax;
    this.#crc32 = crc32;
  }

  /**
   * Takes the next bytes of the stream. Before that, {@link next} must have returned `undefined`.
   *
   * @param chunk - must not change until `next` has returned `undefined` again
   */
  push(chunk: Uint8Array): void {
    assert(this.#at === this.#chunk.length, 'the previous chunk was read to its end');
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * The next payload, valid until the next call; `undefined` when more bytes are needed.
   *
   * @throws {KontikiError} FRAME_INVALID, and the rest of the stream makes no sense
   */
  next(): Uint8Array | undefined {
    if (this.#filled === 0) {
      const left = this.#chunk.length - this.#at;
      if (left >= frameHeaderBytes) {
        const size = frameSize(this.#chunk, this.#at, this.payloadBytesMax);
        if (left >= size) {
          this.#at += size;
          return openFrame(this.#chunk.subarray(this.#at - size, this.#at), this.#crc32);
        }
      }
    }
    return this.#gather();
  }

  #gather(): Uint8Array | undefined {
    if (!this.#fill(frameHeaderBytes)) return undefined;
    const size = frameSize(this.#buffer, 0, this.payloadBytesMax);
    if (!this.#fill(size)) return undefined;
    const frame = this.#buffer.subarray(0, size);
    this.#filled = 0;
    if (this.#buffer.length > keptBufferBytes) this.#buffer = nothing;
    return openFrame(frame, this.#crc32);
  }

  /** Moves bytes from the chunk until the buffer holds `size`; whether it does. */
  #fill(size: number): boolean {
    const wanted = size - this.#filled;
    if (wanted <= 0) return true;
    const taken = Math.min(wanted, this.#chunk.length - this.#at);
    this.#reserve(this.#filled + taken, size);
    this.#buffer.set(this.#chunk.subarray(this.#at, this.#at + taken), this.#filled);
    this.#at += taken;
    this.#filled += taken;
    if (taken === wanted) return true;
    this.#chunk = nothing;
    this.#at = 0;
    return false;
  }

  #reserve(needed: number, size: number): void {
    if (this.#buffer.length >= needed) return;
    const grown = Math.max(needed, firstBufferBytes, Math.min(2 * this.#buffer.length, size));
    const buffer = new Uint8Array(grown);
    buffer.set(this.#buffer.subarray(0, this.#filled));
    this.#buffer = buffer;
  }
}
