/**
 * Bytes of the records that the write-behind backend keeps for itself. Layout, integers big-endian:
 *
 * ```
 * key 'b'            version u8, applied u53, crc u32
 * key 'f' + seq u53  version u8, oldest u53, from u53, to u53, bytes u53, previous u32, hash u32,
 *                    aheadBytes u53, top text, proofs texts, spent texts, crc u32
 * ```
 *
 * A u53 takes eight bytes, a text its length as u32 and a byte per unit, texts their number as u32. The crc is always the last four, over the key and all before it, so that
 * a damaged record is told from one of a later release.
 */
import { replaceAdvice, upgradeAdvice } from '../base/advice.js';
import { type BinaryString, binaryBytes, binaryString } from '../base/bytes.js';
import { crc32 } from '../base/crc32.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { KeyRange } from './kv-engine.js';

/** Format of these records that this release writes, and the only one it reads. @since 0.1.0 */
export const flushFormatVersion = 2;

const appliedBytes = 13;
/** Of a flush record without texts. @since 0.1.0 */
export const flushBytesMin = 65;

/** Key of the applied index. @since 0.1.0 */
export const appliedKey: BinaryString = 'b';

/** Keys of the flush records. @since 0.1.0 */
export const flushKeys: KeyRange = { gte: 'f', lt: 'g' };

/** What one flush wrote. @since 0.1.0 */
export interface FlushRecord {
  /** 1 for the first flush of a directory, one more for each further one. */
  readonly seq: number;
  /** Lowest seq whose record this flush left in place. */
  readonly oldest: number;
  /** Applied index before the flush. */
  readonly from: number;
  /** Applied index with it. */
  readonly to: number;
  /** Size of its batch, as far as it counts towards a write buffer of the engine. */
  readonly bytes: number;
  /** Hash of the flush before; 0 for the first. */
  readonly previous: number;
  /** Of this flush's changes, continued from `previous`. */
  readonly hash: number;
  /** Size of the batch that went ahead of it (`flush-ahead.ts`), as `bytes`; 0 without one. */
  readonly aheadBytes: number;
  /** Highest key of those that may go ahead that a flush ever put; empty before the first. */
  readonly top: BinaryString;
  /** Some keys of what went ahead of it, which are not in its own batch: they are there, or all of it is lost. */
  readonly proofs: readonly BinaryString[];
  /** Proofs of flushes before that it put again, or deleted. */
  readonly spent: readonly BinaryString[];
}

/** @since 0.1.0 */
export function flushKey(seq: number): BinaryString {
  let key = flushKeys.gte;
  for (let shift = 56; shift >= 0; shift -= 8) {
    key += String.fromCharCode(Math.floor(seq / 2 ** shift) & 0xff);
  }
  return key;
}

/** Value of {@link appliedKey}. @since 0.1.0 */
export function encodeApplied(index: number): Uint8Array {
  const writer = new RecordWriter(appliedBytes);
  writer.u53(index);
  return writer.finish(appliedKey);
}

/** @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED @since 0.1.0 */
export function decodeApplied(value: Uint8Array): number {
  const reader = new RecordReader(appliedKey, value);
  const index = reader.u53();
  reader.end();
  return index;
}

/** Value of {@link flushKey}. @since 0.1.0 */
export function encodeFlush(record: FlushRecord): Uint8Array {
  const { top, proofs, spent } = record;
  const texts = [...proofs, ...spent].reduce((sum, { length }) => sum + 4 + length, 0);
  const writer = new RecordWriter(flushBytesMin + top.length + texts);
  writer.u53(record.oldest);
  writer.u53(record.from);
  writer.u53(record.to);
  writer.u53(record.bytes);
  writer.u32(record.previous);
  writer.u32(record.hash);
  writer.u53(record.aheadBytes);
  writer.text(top);
  writer.texts(proofs);
  writer.texts(spent);
  return writer.finish(flushKey(record.seq));
}

/** @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED @since 0.1.0 */
export function decodeFlush(key: BinaryString, value: Uint8Array): FlushRecord {
  const reader = new RecordReader(key, value);
  let seq = 0;
  for (let at = 1; at < key.length; at += 1) seq = seq * 256 + key.charCodeAt(at);
  const record = {
    seq,
    oldest: reader.u53(),
    from: reader.u53(),
    to: reader.u53(),
    bytes: reader.u53(),
    previous: reader.u32(),
    hash: reader.u32(),
    aheadBytes: reader.u53(),
    top: reader.text(),
    proofs: reader.texts(),
    spent: reader.texts(),
  };
  reader.end();
  return record;
}

class RecordWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 1;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
    this.#view = new DataView(this.#bytes.buffer);
    this.#bytes[0] = flushFormatVersion;
  }

  u32(value: number): void {
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  u53(value: number): void {
    this.u32(Math.floor(value / 2 ** 32));
    this.u32(value >>> 0);
  }

  text(value: BinaryString): void {
    this.u32(value.length);
    this.#bytes.set(binaryBytes(value), this.#at);
    this.#at += value.length;
  }

  texts(values: readonly BinaryString[]): void {
    this.u32(values.length);
    for (const value of values) this.text(value);
  }

  finish(key: BinaryString): Uint8Array {
    this.u32(checksum(key, this.#bytes));
    return this.#bytes;
  }
}

class RecordReader {
  readonly #name: string;
  readonly #value: Uint8Array;
  readonly #view: DataView;
  #at = 1;

  constructor(key: BinaryString, value: Uint8Array) {
    this.#value = value;
    this.#view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const name = key === appliedKey ? 'the applied index' : 'a flush record';
    this.#name = name;
    if (value.length < 5 || this.#view.getUint32(value.length - 4) !== checksum(key, value)) {
      throw corrupt(`${name} of the state has a wrong checksum`);
    }
    if (value[0] !== flushFormatVersion) {
      const found = `${name} of the state has format ${value[0]}, this release reads ${flushFormatVersion}`;
      throw kontikiError('FORMAT_UNSUPPORTED', `${found}: ${upgradeAdvice}`);
    }
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4));
  }

  u53(): number {
    return this.u32() * 2 ** 32 + this.u32();
  }

  text(): BinaryString {
    const size = this.u32();
    const at = this.#skip(size);
    return binaryString(this.#value.subarray(at, at + size));
  }

  texts(): BinaryString[] {
    const values: BinaryString[] = [];
    for (let left = this.u32(); left > 0; left -= 1) values.push(this.text());
    return values;
  }

  /** To be called behind the last field. */
  end(): void {
    this.#skip(0);
    if (this.#at + 4 !== this.#value.length) throw this.#badLength();
  }

  #skip(size: number): number {
    const at = this.#at;
    this.#at += size;
    if (this.#at + 4 > this.#value.length) throw this.#badLength();
    return at;
  }

  #badLength(): KontikiError {
    return corrupt(`${this.#name} of the state has ${this.#value.length} bytes`);
  }
}

function corrupt(found: string): KontikiError {
  return kontikiError('STATE_CORRUPT', `${found}; ${replaceAdvice}`);
}

function checksum(key: BinaryString, value: Uint8Array): number {
  return crc32(value.subarray(0, value.length - 4), crc32(binaryBytes(key)));
}
