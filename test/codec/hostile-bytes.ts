/** Bytes that no honest sender writes, for every decoder that reads a version byte and a flat array. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';

/** Passes when `run` returns, or throws one of the two codes a decoder may throw. */
export function expectDecodedOrRefused(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (isKontikiError(error, 'FRAME_INVALID')) return;
    if (isKontikiError(error, 'FORMAT_UNSUPPORTED')) return;
    throw error;
  }
}

export function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    expect(isKontikiError(error), String(error)).toBe(true);
    return isKontikiError(error) ? error.code : undefined;
  }
  return undefined;
}

/** Random bytes, most of them with a version byte and an array header that pass. */
export const randomBytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom([], [1], [1, 0x97], [1, 0x94, 0], [1, 0xdc, 0, 9]),
    fc.uint8Array({ maxLength: 200 }),
  )
  .map(([head, tail]) => Uint8Array.from([...head, ...tail]));

/** `valid` with a few bytes changed, cut, doubled or added. */
export function mutated(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    at: fc.nat(),
    byte: fc.nat(255),
    how: fc.constantFrom('set' as const, 'cut' as const, 'insert' as const),
  });
  return fc.tuple(valid, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([bytes, edits]) => {
    const out = [...bytes];
    for (const { at, byte, how } of edits) {
      const place = at % (out.length + 1);
      if (how === 'set') out[place] = byte;
      else if (how === 'cut') out.splice(place, 1);
      else out.splice(place, 0, byte);
    }
    return Uint8Array.from(out);
  });
}

const filled = (size: number, byte: number): number[] => new Array<number>(size).fill(byte);

/** Structures chosen to hurt a careless decoder. */
export const hostileStructures: Readonly<Record<string, Uint8Array>> = {
  'nothing after the version': Uint8Array.of(1),
  'no array': Uint8Array.of(1, 7),
  'nested arrays of 200 kB': Uint8Array.from([1, ...filled(200_000, 0x91)]),
  'array of 2^32-1 elements': Uint8Array.of(1, 0xdd, 0xff, 0xff, 0xff, 0xff, 0),
  'array of 65535 elements': Uint8Array.of(1, 0xdc, 0xff, 0xff, 0, 0),
  'cut array header': Uint8Array.of(1, 0xdd, 0, 0),
  'a million elements, all there': Uint8Array.from([
    ...[1, 0xdd, 0, 0x0f, 0x42, 0x40],
    ...filled(1_000_000, 0),
  ]),
  'byte string of 4 GiB': Uint8Array.of(1, 0x91, 0xc6, 0xff, 0xff, 0xff, 0xff, 0),
  'byte string past the end': Uint8Array.of(1, 0x91, 0xc4, 9, 0),
  'cut double': Uint8Array.of(1, 0x91, 0xcb, 0),
  'map with a key of the sender': Uint8Array.of(1, 0x91, 0x81, 0xa1, 0x61, 1),
  'map of 2^32-1 pairs': Uint8Array.of(1, 0x91, 0xdf, 0xff, 0xff, 0xff, 0xff),
  'text instead of bytes': Uint8Array.of(1, 0x91, 0xa1, 0x61),
  'record definition': Uint8Array.of(1, 0x91, 0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 1),
  'regular expression': Uint8Array.of(1, 0x91, 0xc7, 0, 0x78, 0x92, 0xa1, 0x61, 0xa0),
  'structured clone reference': Uint8Array.of(1, 0x91, 0xd6, 0x70, 0, 0, 0, 1),
  'trailing megabyte': Uint8Array.from([1, 0x91, 1, ...filled(1 << 20, 0)]),
};
