/**
 * The one configured MessagePack coder. Everything this library encodes with it is a version byte
 * and then one flat array of scalars: positions are cheaper than names, and a flat array is the one
 * shape whose decoding can be bounded before it starts ({@link isFlatArray}).
 *
 * From `msgpackr/pack`: the package's own entry loads a native addon, for texts, of which there are none here.
 */
import { Packr, RESERVE_START_SPACE, RESET_BUFFER_MODE, REUSE_BUFFER_MODE } from 'msgpackr/pack';
import { assert } from '../base/assert.js';
import { kontikiError } from '../base/errors.js';
import { isFlatArray } from './flat-scan.js';

/** What an element of an encoded array can be. Integers are numbers, int64 are bigints. */
export type Scalar = number | bigint | boolean | null | Uint8Array;

// Records and shared structures would make the meaning of bytes depend on earlier ones, and
// structured clones and extra types would let a peer choose classes to build.
const packr = new Packr({
  useRecords: false,
  structuredClone: false,
  moreTypes: false,
  int64AsType: 'bigint',
});

/** What the coder returns in its reuse mode. */
interface PackedBlock extends Uint8Array {
  readonly start: number;
  readonly end: number;
}

const poolBytes = 64 * 1024;
let pool = new Uint8Array(0);
let pooled = 0;

/**
 * Encodes `values` behind a version byte, with room in front for the caller's own header. The
 * result is written once and never reused, but lives in a larger block: keep it only briefly.
 *
 * @param values - elements in the order of the format
 * @param version - format version, 0 to 255
 * @param reserve - unset bytes left in front of the version byte, at most 128
 * @since 0.1.0
 */
export function packTransient(
  values: readonly Scalar[],
  version: number,
  reserve: number,
): Uint8Array {
  const bytes = packr.pack(values, RESERVE_START_SPACE | (reserve + 1));
  bytes[reserve] = version;
  return bytes;
}

/**
 * Encodes `values` behind a version byte for keeping: results share blocks only with each other, so
 * a log of them holds little more memory than their bytes.
 *
 * @param values - elements in the order of the format
 * @param version - format version, 0 to 255
 * @since 0.1.0
 */
export function packKept(values: readonly Scalar[], version: number): Uint8Array {
  const mode = RESERVE_START_SPACE | REUSE_BUFFER_MODE | RESET_BUFFER_MODE | 1;
  // In this mode the result is the coder's own block, with the bounds of the encoding beside it.
  const block = packr.pack(values, mode) as Uint8Array as PackedBlock;
  const out = takeFromPool(block.end - block.start);
  out.set(block.subarray(block.start, block.end));
  out[0] = version;
  return out;
}

/**
 * Asserts that every element of `values` will be read back as it is. What only breaks on the other
 * side of the log breaks on every member at once.
 *
 * @since 0.1.0
 */
export function checkScalars(values: readonly Scalar[]): void {
  for (const value of values) {
    switch (typeof value) {
      case 'number':
        assert(Number.isSafeInteger(value), 'numbers are safe integers');
        break;
      case 'bigint':
        assert(BigInt.asIntN(64, value) === value, 'bigints are int64');
        break;
      case 'boolean':
        break;
      default:
        assert(value === null || value instanceof Uint8Array, 'the rest are bytes or nil');
    }
  }
}

/**
 * Decodes what {@link packTransient} and {@link packKept} wrote. Byte strings in the result are
 * views of `bytes`.
 *
 * @param bytes - untrusted, of any length
 * @param version - the only version byte accepted
 * @param elementsMax - most elements the format allows
 * @throws {KontikiError} FORMAT_UNSUPPORTED for another version byte, FRAME_INVALID for anything
 *   else that is not such an encoding
 * @since 0.1.0
 */
export function unpackFlat(bytes: Uint8Array, version: number, elementsMax: number): Scalar[] {
  if (bytes.length === 0) throw kontikiError('FRAME_INVALID', 'expected an encoding, got no bytes');
  if (bytes[0] !== version) {
    throw kontikiError(
      'FORMAT_UNSUPPORTED',
      `this release reads format version ${version}, the bytes say ${bytes[0]}`,
    );
  }
  if (!isFlatArray(bytes, 1, elementsMax)) {
    throw kontikiError(
      'FRAME_INVALID',
      `expected one array of at most ${elementsMax} scalars in ${bytes.length} bytes`,
    );
  }
  // A view of its own, because the coder hangs a DataView on whatever it is given.
  const body = new Uint8Array(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1);
  try {
    return packr.unpack(body) as Scalar[];
  } catch (cause) {
    throw kontikiError('FRAME_INVALID', 'expected MessagePack', { cause });
  }
}

function takeFromPool(size: number): Uint8Array {
  if (size > poolBytes / 8) return new Uint8Array(size);
  if (pool.length - pooled < size) {
    pool = new Uint8Array(poolBytes);
    pooled = 0;
  }
  pooled += size;
  return pool.subarray(pooled - size, pooled);
}
