/**
 * A key-value pair as callers see it: the keyspace's version of a key, decoded as it is asked for.
 */
import { binaryBytes, binaryString, equalBytes, utf8Bytes, utf8Text } from '../base/bytes.js';
import type { KeyVersion } from '../mvcc/types.js';

/**
 * A {@link KeyValue} as JSON. Key and value are base64, as in etcd's JSON, because bytes that are
 * no UTF-8 would be lost as text; a lease id, which may exceed 2^53, is a decimal string.
 *
 * @since 0.1.0
 */
export interface KeyValueJson {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease?: string;
}

/** Name of the method that `util.inspect`, and so `console.log`, asks for. */
const inspectCustom: unique symbol = Symbol.for('nodejs.util.inspect.custom');

/**
 * One version of a key. Immutable; the byte arrays are this object's own copies, made when first
 * asked for, so changing them changes nothing in the store.
 *
 * @since 0.1.0
 */
export class KeyValue {
  readonly #stored: KeyVersion;
  #key: Uint8Array | undefined;
  #value: Uint8Array | undefined;

  private constructor(stored: KeyVersion) {
    this.#stored = stored;
  }

  /**
   * The pair of a stored version.
   *
   * @param version - not copied; nobody may change its bytes
   */
  static of(version: KeyVersion): KeyValue {
    return new KeyValue(version);
  }

  /** The key's bytes. */
  get key(): Uint8Array {
    this.#key ??= binaryBytes(this.#stored.key);
    return this.#key;
  }

  /** The value's bytes; empty for a delete in a watch. */
  get value(): Uint8Array {
    // Not slice: an engine may have given a Buffer, whose slice shares its memory.
    this.#value ??= new Uint8Array(this.#stored.value);
    return this.#value;
  }

  /** Revision of the put that created the key. */
  get createRevision(): number {
    return this.#stored.createRevision;
  }

  /** Revision of the put that wrote this version. */
  get modRevision(): number {
    return this.#stored.modRevision;
  }

  /** 1 for the put that created the key, one more for each put since. */
  get version(): number {
    return this.#stored.version;
  }

  /** Lease the key is attached to; `undefined` for none. */
  get lease(): bigint | undefined {
    return this.#stored.lease;
  }

  /** The key as UTF-8 text; malformed bytes become U+FFFD. */
  keyText(): string {
    return utf8Text(this.key);
  }

  /** The value as UTF-8 text; malformed bytes become U+FFFD. */
  text(): string {
    return utf8Text(this.#stored.value);
  }

  /**
   * The value parsed as JSON; `T` is the caller's word for it, nothing is checked.
   *
   * @throws {SyntaxError} when the value is not JSON
   */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }

  /** What `JSON.stringify` makes of the pair. */
  toJSON(): KeyValueJson {
    const { key, value, createRevision, modRevision, version, lease } = this.#stored;
    const json = {
      key: btoa(key),
      value: btoa(binaryString(value)),
      createRevision,
      modRevision,
      version,
    };
    return lease === undefined ? json : { ...json, lease: lease.toString() };
  }

  /** What `console.log` shows: the fields, key and value as text if they are UTF-8. */
  [inspectCustom]<O>(
    depth?: number,
    options?: O,
    inspect?: (value: object, options: O | undefined) => string,
  ): unknown {
    if (depth !== undefined && depth < 0) return '[KeyValue]';
    const { createRevision, modRevision, version, lease } = this.#stored;
    const shown = {
      key: textOrBytes(this.key),
      value: textOrBytes(this.value),
      createRevision,
      modRevision,
      version,
      ...(lease !== undefined && { lease }),
    };
    return inspect === undefined ? shown : `KeyValue ${inspect(shown, options)}`;
  }
}

function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  const text = utf8Text(bytes);
  return equalBytes(utf8Bytes(text), bytes) ? text : bytes;
}
