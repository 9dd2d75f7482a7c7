/**
 * Looks at bytes sector by sector. A sector that was never written reads as zeros, and this is the
 * only thing that tells a torn write from damage; so these questions decide what recovery may cut.
 */
import { sectorBytes } from './format.js';

/** Whether all bytes of `[from, to)` are zero; also for an empty range. */
export function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (bytes[at] !== 0) return false;
  return true;
}

/** Offset of the first byte of `[from, to)` that is not zero, or `to`. */
export function firstNonZero(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] === 0) at += 1;
  return at;
}

/** End of the sector that `offset` lies in. */
export function sectorEnd(offset: number): number {
  return (Math.floor(offset / sectorBytes) + 1) * sectorBytes;
}

/**
 * Whether a sector's part of a group is all zero: then it was not written.
 *
 * @param bytes - the file
 * @param group - bytes of the group in it; it may end beyond the file
 */
export function hasUnwrittenSector(
  bytes: Uint8Array,
  group: { readonly start: number; readonly end: number },
): boolean {
  const end = Math.min(group.end, bytes.length);
  for (let from = group.start; from < end; from = sectorEnd(from)) {
    if (isZero(bytes, from, Math.min(sectorEnd(from), end))) return true;
  }
  return false;
}

/**
 * Offset of a byte that is not zero, alone in its sector's part of `[from, to)`. What was written is
 * never like that (see mask.ts), what was flipped is.
 */
export function loneByte(bytes: Uint8Array, from: number, to: number): number | undefined {
  let at = firstNonZero(bytes, from, to);
  while (at < to) {
    const end = Math.min(sectorEnd(at), to);
    if (isZero(bytes, at + 1, end)) return at;
    at = firstNonZero(bytes, end, to);
  }
  return undefined;
}
