const blockBytes = 8 * 1024;

/**
 * Larger ones get a buffer of their own: they would leave much of a block unused, and cost little by themselves.
 *
 * @since 0.1.0
 */
export const roomBytesMax = blockBytes / 8;

/**
 * Room for small byte arrays, cut from shared blocks: a buffer of its own costs a small one an allocation outside
 * the heap and the collector's work for it, some 6 % of a put (ADR 0012). A block goes when all that was cut from
 * it has: a room is for what goes together.
 *
 * @since 0.1.0
 */
export class ByteRoom {
  #block = new Uint8Array(0);
  #used = 0;

  /** Bytes of nobody else, all 0. */
  take(length: number): Uint8Array {
    if (length > roomBytesMax) return new Uint8Array(length);
    if (this.#used + length > this.#block.length) {
      this.#block = new Uint8Array(blockBytes);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += length;
    // Half of what `subarray` takes, which looks for subclasses.
    return new Uint8Array(this.#block.buffer, at, length);
  }
}
