/**
 * A set of checksums for as many records as a disk holds. A `Set` ends at 2^24 members, and a backup of
 * more keys than that could be taken but never verified, so never restored.
 */

/** Slots that may be taken before the table grows, in sixteenths. */
const fullSixteenths = 12;

/**
 * Numbers of 32 bits; 5 to 11 bytes for each.
 *
 * @since 0.1.0
 */
export class CrcSet {
  /** Open addressing; 0 is a free slot. */
  #slots: Uint32Array;
  #size = 0;
  #hasZero = false;

  /** @param slots - to begin with, a power of two; default 1,024 */
  constructor(slots = 1_024) {
    this.#slots = new Uint32Array(slots);
  }

  /** How many there are. */
  get size(): number {
    return this.#size + (this.#hasZero ? 1 : 0);
  }

  add(crc: number): void {
    if (crc === 0) {
      this.#hasZero = true;
      return;
    }
    const at = slotOf(this.#slots, crc);
    if (this.#slots[at] === crc) return;
    this.#slots[at] = crc;
    this.#size += 1;
    if (this.#size * 16 > this.#slots.length * fullSixteenths) this.#grow();
  }

  has(crc: number): boolean {
    return crc === 0 ? this.#hasZero : this.#slots[slotOf(this.#slots, crc)] === crc;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    for (const crc of this.#slots) if (crc !== 0) slots[slotOf(slots, crc)] = crc;
    this.#slots = slots;
  }
}

/** Where it is, or the free slot where it would be. */
function slotOf(slots: Uint32Array, crc: number): number {
  const mask = slots.length - 1;
  // Checksums are spread evenly already.
  let at = crc & mask;
  for (let found = slots[at]; found !== crc && found !== 0; found = slots[at]) at = (at + 1) & mask;
  return at;
}
