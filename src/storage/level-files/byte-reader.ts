/** Reads the integers and strings of LevelDB's files; what goes past the end is an error of the file. */

/** Thrown for bytes that end too early or are no integer; callers say which file it was. @since 0.1.0 */
export class MalformedBytes extends Error {
  /** Where in the file, if whoever throws it knows. */
  readonly offset: number | undefined;

  /**
   * @param what - is wrong
   * @param offset - in bytes
   */
  constructor(what: string, offset?: number) {
    super(what);
    this.offset = offset;
  }
}

/**
 * A position in some bytes.
 *
 * @since 0.1.0
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;

  /**
   * @param bytes - what to read
   * @param at - where to begin; default 0
   */
  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.take(1)[0] as number;
  }

  /** A variable-length integer that is safe. */
  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) throw new MalformedBytes('an integer is too large');
      if (byte < 128) return value;
    }
  }

  /** The next `length` bytes; a view. */
  take(length: number): Uint8Array {
    if (length > this.left) throw new MalformedBytes('it ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Bytes behind their length; a view. */
  string(): Uint8Array {
    return this.take(this.varint());
  }

  /** An integer of `width` bytes, least significant first; at most 6. */
  fixed(width: number): number {
    return this.take(width).reduce((sum, byte, at) => sum + byte * 2 ** (8 * at), 0);
  }
}
