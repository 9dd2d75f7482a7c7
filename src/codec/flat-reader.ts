/**
 * Reads the elements of a decoded array one by one, each checked against what the format says stands
 * there. The array comes from a peer or a disk, so every mismatch is their error, not an assertion.
 */
import { type BinaryString, binaryString } from '../base/bytes.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { Scalar } from './packr.js';

/**
 * A cursor over the elements of one encoding.
 *
 * Every method takes the name of the field for the error message, and throws `FRAME_INVALID` when
 * the element is missing or of another kind.
 *
 * @since 0.1.0
 */
export class FlatReader {
  readonly #values: readonly Scalar[];
  #at = 0;

  /** @param values - as `unpackFlat` gave them */
  constructor(values: readonly Scalar[]) {
    this.#values = values;
  }

  /** Elements not read yet. */
  get left(): number {
    return this.#values.length - this.#at;
  }

  /** A safe integer of at least `least`. */
  integer(field: string, least = 0): number {
    const value = this.#values[this.#at++];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
      throw invalidField(field, value);
    }
    return value + 0; // -0 can travel as a double, and must not get further
  }

  /** A safe integer of at least 0, or nil. */
  optionalInteger(field: string): number | undefined {
    return this.#takeNil() ? undefined : this.integer(field);
  }

  boolean(field: string): boolean {
    const value = this.#values[this.#at++];
    if (typeof value !== 'boolean') throw invalidField(field, value);
    return value;
  }

  optionalBoolean(field: string): boolean | undefined {
    return this.#takeNil() ? undefined : this.boolean(field);
  }

  bigint(field: string): bigint {
    const value = this.#values[this.#at++];
    if (typeof value !== 'bigint') throw invalidField(field, value);
    return value;
  }

  optionalBigint(field: string): bigint | undefined {
    return this.#takeNil() ? undefined : this.bigint(field);
  }

  /** A view of the encoding; copy it to keep it. */
  bytes(field: string): Uint8Array {
    const value = this.#values[this.#at++];
    if (!(value instanceof Uint8Array)) throw invalidField(field, value);
    return value;
  }

  /** A byte string as a binary string. */
  text(field: string): BinaryString {
    return binaryString(this.bytes(field));
  }

  optionalText(field: string): BinaryString | undefined {
    return this.#takeNil() ? undefined : this.text(field);
  }

  /** One of the names whose positions in `names` stand for them. */
  oneOf<T extends string>(field: string, names: readonly T[]): T {
    const value = this.#values[this.#at++];
    const name = typeof value === 'number' ? names[value] : undefined;
    if (name === undefined) throw invalidField(field, value);
    return name;
  }

  /** @throws {KontikiError} FRAME_INVALID when elements are left */
  end(): void {
    if (this.left === 0) return;
    throw kontikiError('FRAME_INVALID', `${this.left} elements too many`);
  }

  #takeNil(): boolean {
    const isNil = this.#values[this.#at] === null;
    if (isNil) this.#at += 1;
    return isNil;
  }
}

/**
 * The error for an element that is not what its field demands.
 *
 * @param field - name of the field
 * @param value - what was found
 * @since 0.1.0
 */
export function invalidField(field: string, value: Scalar | undefined): KontikiError {
  const found = value instanceof Uint8Array ? `${value.length} bytes` : String(value);
  return kontikiError('FRAME_INVALID', `${field} can not be ${found}`);
}
