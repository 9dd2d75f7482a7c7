/**
 * A whole state as a stream of bytes, which is what a snapshot holds: parts, each behind its length.
 *
 *     [u32 length][version, [0, appliedIndex]]
 *     [u32 length][version, [1, key, bytes, key, bytes, ...]]   any number of times
 *     [u32 length][version, [2, count of records]]
 *
 * Lengths are little-endian. The stream may be cut into chunks anywhere: who stores or sends it need
 * not keep the parts together. Damage is for them to find; this only sees to it that a stream is
 * whole and of a known version.
 */
import { assert } from '../base/assert.js';
import { binaryBytes } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { StoredRecord } from '../mvcc/backend.js';
import { FlatReader } from './flat-reader.js';
import { packTransient, type Scalar, unpackFlat } from './packr.js';

/**
 * Version of the stream that this release writes and reads.
 *
 * @since 0.1.0
 */
export const statePartVersion = 1;

/** Records of one part at most. @since 0.1.0 */
export const partRecordsMax = 1_000;

/** One part of a stream: `begin` first, `end` last. @since 0.1.0 */
export type StatePart =
  | { readonly kind: 'begin'; readonly appliedIndex: number }
  | { readonly kind: 'records'; readonly records: readonly StoredRecord[] }
  | { readonly kind: 'end'; readonly count: number };

const kinds = ['begin', 'records', 'end'] as const;
const lengthBytes = 4;

/** Bytes of the longest part, its length in front included. @since 0.1.0 */
export const statePartLengthMax: number = lengthBytes + limits.statePartBytesMax;

/**
 * Encodes a part, its length in front.
 *
 * @param part - at most {@link partRecordsMax} records
 * @returns bytes for use soon: they live in a larger block, so do not keep them
 * @since 0.1.0
 */
export function encodeStatePart(part: StatePart): Uint8Array {
  const values: Scalar[] = [kinds.indexOf(part.kind)];
  if (part.kind === 'begin') values.push(part.appliedIndex);
  else if (part.kind === 'end') values.push(part.count);
  else {
    assert(part.records.length <= partRecordsMax, 'a part has its records bounded');
    for (const [key, bytes] of part.records) values.push(binaryBytes(key), bytes);
  }
  const bytes = packTransient(values, statePartVersion, lengthBytes);
  const length = bytes.length - lengthBytes;
  assert(length <= limits.statePartBytesMax, 'a part has its bytes bounded');
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, length, true);
  return bytes;
}

/**
 * Takes a stream in chunks of any size and gives its parts.
 *
 * @since 0.1.0
 */
export class StatePartReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Behind it is room for more of a part that comes in pieces. Nobody else was given any of it. */
  #end = 0;

  /** Whether nothing is left of what was pushed. */
  get isEmpty(): boolean {
    return this.#at === this.#end;
  }

  /** Takes the next bytes, which belong to the parts from here on. */
  push(chunk: Uint8Array): void {
    if (this.isEmpty) {
      this.#bytes = chunk;
      this.#at = 0;
      this.#end = chunk.length;
      return;
    }
    if (this.#end + chunk.length > this.#bytes.length) this.#grow(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** To twice of what is left at least: each byte is copied a few times, however small the pieces are. */
  #grow(added: number): void {
    const left = this.#bytes.subarray(this.#at, this.#end);
    this.#bytes = new Uint8Array(left.length + Math.max(left.length, added));
    this.#bytes.set(left);
    this.#at = 0;
    this.#end = left.length;
  }

  /**
   * The next part, as views of what was pushed; `undefined` when more bytes are needed.
   *
   * @throws {KontikiError} FORMAT_UNSUPPORTED for another version, FRAME_INVALID for all other bytes
   *   that {@link encodeStatePart} would not write
   */
  next(): StatePart | undefined {
    const left = this.#end - this.#at;
    if (left < lengthBytes) return undefined;
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at);
    const length = view.getUint32(0, true);
    if (length > limits.statePartBytesMax) {
      throw kontikiError('FRAME_INVALID', `a part of a state claims ${length} bytes`);
    }
    if (left < lengthBytes + length) return undefined;
    const from = this.#at + lengthBytes;
    this.#at = from + length;
    return decode(this.#bytes.subarray(from, this.#at));
  }
}

function decode(bytes: Uint8Array): StatePart {
  const reader = new FlatReader(unpackFlat(bytes, statePartVersion, 1 + 2 * partRecordsMax));
  const kind = reader.oneOf('kind', kinds);
  if (kind === 'records') return { kind, records: readRecords(reader) };
  const number = reader.integer(kind);
  reader.end();
  return kind === 'begin' ? { kind, appliedIndex: number } : { kind, count: number };
}

function readRecords(reader: FlatReader): StoredRecord[] {
  const records: StoredRecord[] = [];
  while (reader.left > 0) records.push([reader.text('key'), reader.bytes('bytes')]);
  return records;
}
