/**
 * Records are masked on disk: combined, bit by bit, with numbers that depend on nothing but their
 * place. So no sector that was written is all zero, or nearly, whatever users store, and "all zero" is
 * proof that a sector was never written. It hides nothing from anybody, and one flipped bit stays one.
 */
import { positionSeed, sectorBytes, viewOf } from './format.js';

/** Where the bytes of a buffer belong. */
export interface MaskPlace {
  /** Number of the segment. */
  readonly segment: number;
  /** Of the buffer's first byte, in the segment's file. */
  readonly offset: number;
}

/** As bytes and as words of the platform: the mask is bytes, whatever the platform's byte order. */
const pad = buildPad();
const padWords = new Uint32Array(pad.buffer);
const key = new Uint8Array(4);
const keyView = viewOf(key);
const keyWord = new Uint32Array(key.buffer);

/**
 * Masks the bytes `[from, to)` of a buffer where they stand; a second time it takes the mask off.
 *
 * @param place - of the buffer; offsets that are multiples of 4 are fast
 */
export function applyMask(bytes: Uint8Array, from: number, to: number, place: MaskPlace): void {
  const canUseWords = bytes.byteOffset % 4 === 0 && place.offset % 4 === 0;
  const words = canUseWords
    ? new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4))
    : undefined;
  for (let at = from; at < to; ) {
    const inSector = (place.offset + at) % sectorBytes;
    const end = Math.min(to, at + sectorBytes - inSector);
    keyView.setUint32(0, sectorKey(place.segment, place.offset + at - inSector), true);
    at = maskSector({ bytes, words, inSector }, at, end);
  }
}

interface SectorPart {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array | undefined;
  /** Position of the part's first byte in its sector. */
  readonly inSector: number;
}

/** Masks `[from, end)`, all in one sector; returns `end`. */
function maskSector(part: SectorPart, from: number, end: number): number {
  const { bytes, words } = part;
  const shift = part.inSector - from;
  let at = from;
  if (words !== undefined) {
    for (; at < end && at % 4 !== 0; at += 1) maskByte(bytes, at, at + shift);
    const word = keyWord[0] as number;
    for (; at + 4 <= end; at += 4) {
      (words[at >>> 2] as number) ^= (padWords[(at + shift) >>> 2] as number) ^ word;
    }
  }
  for (; at < end; at += 1) maskByte(bytes, at, at + shift);
  return end;
}

function maskByte(bytes: Uint8Array, at: number, inSector: number): void {
  (bytes[at] as number) ^= (pad[inSector] as number) ^ (key[inSector % 4] as number);
}

/** Differs from sector to sector, so that a masked value stored again does not lose its mask. */
function sectorKey(segment: number, offset: number): number {
  let mixed = positionSeed(segment, offset);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** One sector of xorshift32, part of the format. */
function buildPad(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sectorBytes);
  const view = viewOf(bytes);
  let state = 0x6b6f_6e74;
  for (let at = 0; at < sectorBytes; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    view.setUint32(at, state >>> 0, true);
  }
  return bytes;
}
