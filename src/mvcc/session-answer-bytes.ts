/**
 * Reads and writes the fields of kept answers. The writer has room for the longest answer that is kept
 * and goes on silently beyond it, so that nobody has to ask first how long an answer is.
 */
import { type BinaryString, binaryBytes } from '../base/bytes.js';
import {
  getInt64,
  getUint32,
  getUint53,
  setInt64,
  setUint32,
  setUint53,
} from '../base/integers.js';

/** @since 0.1.0 */
export class AnswerWriter {
  readonly #bytes: Uint8Array;
  #length = 0;

  /** @param bytesMax - room of an answer */
  constructor(bytesMax: number) {
    this.#bytes = new Uint8Array(bytesMax);
  }

  /** Whether more was written than there is room for. */
  get isOver(): boolean {
    return this.#length > this.#bytes.length;
  }

  begin(): void {
    this.#length = 0;
  }

  /** A copy of what was written. */
  taken(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  u8(value: number): void {
    const at = this.#room(1);
    if (at >= 0) this.#bytes[at] = value;
  }

  u32(value: number): void {
    const at = this.#room(4);
    if (at >= 0) setUint32(this.#bytes, at, value);
  }

  u53(value: number): void {
    const at = this.#room(8);
    if (at >= 0) setUint53(this.#bytes, at, value);
  }

  /** An int64; `undefined` is written as 0. */
  i64(value: bigint | undefined): void {
    const at = this.#room(8);
    if (at < 0) return;
    if (value === undefined) this.#bytes.fill(0, at, at + 8);
    else setInt64(this.#bytes, at, value);
  }

  text(text: BinaryString): void {
    this.u32(text.length);
    const at = this.#room(text.length);
    if (at >= 0) this.#bytes.set(binaryBytes(text), at);
  }

  bytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    const at = this.#room(bytes.length);
    if (at >= 0) this.#bytes.set(bytes, at);
  }

  /** Where the next `count` bytes go; -1 when there is no room for them. */
  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    return this.isOver ? -1 : at;
  }
}

/** @since 0.1.0 */
export class AnswerReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** @param bytes - what {@link AnswerWriter} gave */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  u8(): number {
    this.#at += 1;
    return this.#bytes[this.#at - 1] as number;
  }

  u32(): number {
    this.#at += 4;
    return getUint32(this.#bytes, this.#at - 4);
  }

  u53(): number {
    this.#at += 8;
    return getUint53(this.#bytes, this.#at - 8);
  }

  i64(): bigint {
    this.#at += 8;
    return getInt64(this.#bytes, this.#at - 8);
  }

  /** A copy. */
  bytes(): Uint8Array {
    const length = this.u32();
    this.#at += length;
    return new Uint8Array(this.#bytes.subarray(this.#at - length, this.#at));
  }
}
