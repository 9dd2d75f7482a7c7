/**
 * The first bytes of each sector are masked on disk: combined, bit by bit, with numbers that depend on
 * nothing but their place. So no sector that was written is all zero, or nearly, whatever users store,
 * and "all zero" is proof that a sector was never written. It hides nothing from anybody, and one
 * flipped bit stays one.
 */
import { positionSeed, sectorBytes } from './format.js';

/** Where the bytes of a buffer belong. */
export interface MaskPlace {
  /** Number of the segment. */
  readonly segment: number;
  /** Of the buffer's first byte, in the segment's file. */
  readonly offset: number;
}

/** Bytes masked of each sector. That all of them meet their equal by chance will not happen. */
const maskedBytes = 32;

/**
 * Masks the bytes `[from, to)` of a buffer where they stand; a second time it takes the mask off.
 *
 * @param place - of the buffer
 */
export function applyMask(bytes: Uint8Array, from: number, to: number, place: MaskPlace): void {
  const { segment, offset } = place;
  for (let at = from - ((offset + from) % sectorBytes); at < to; at += sectorBytes) {
    let word = sectorKey(segment, offset + at);
    for (let byte = 0; byte < maskedBytes; byte += 1) {
      if (byte % 4 === 0) word = nextWord(word);
      const target = at + byte;
      if (target >= from && target < to) (bytes[target] as number) ^= word >>> (8 * (byte % 4));
    }
  }
}

/** Differs from sector to sector, so that a masked value stored again does not lose its mask. */
function sectorKey(segment: number, offset: number): number {
  let mixed = positionSeed(segment, offset);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  // One in 2^32 keys is 0, which xorshift would keep.
  return mixed ^ (mixed >>> 16) || 1;
}

/** A step of xorshift32, part of the format like the rest of this file. */
function nextWord(word: number): number {
  let next = word ^ (word << 13);
  next ^= next >>> 17;
  return next ^ (next << 5);
}
