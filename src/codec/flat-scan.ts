/**
 * Walks untrusted MessagePack once before the library sees it. What we send is one flat array of
 * scalars, so everything else is refused here: maps (keys of a peer's choosing), extensions and
 * record definitions (the library compiles code for those), nesting (a frame of open brackets
 * overflows the stack), and lengths that the bytes present can not fill. What passes costs no more
 * memory than a small multiple of itself, and the library never meets trailing bytes, which it
 * would render as JSON for its error message.
 */

/**
 * Whether `bytes` from `start` on hold exactly one array of at most `elementsMax` scalars: nil,
 * booleans, integers, doubles, int64 and byte strings.
 *
 * @param bytes - untrusted, of any length
 * @param start - offset of the array's first byte
 * @param elementsMax - most elements the format allows
 * @since 0.1.0
 */
export function isFlatArray(bytes: Uint8Array, start: number, elementsMax: number): boolean {
  const size = bytes.length;
  const token = bytes[start] ?? 0xc1;
  let at = start + 1;
  let left: number;
  if (token >= 0x90 && token <= 0x9f) {
    left = token & 0x0f;
  } else if (token === 0xdc && start + 3 <= size) {
    left = u16(bytes, at);
    at += 2;
  } else if (token === 0xdd && start + 5 <= size) {
    left = u32(bytes, at);
    at += 4;
  } else {
    return false;
  }
  if (left > elementsMax || left > size - at) return false;
  for (; left > 0; left -= 1) {
    if (at >= size) return false;
    const step = scalarSize(bytes, at);
    if (step === 0) return false;
    at += step;
  }
  return at === size;
}

/** Bytes of the scalar that starts at `at`, which may reach past the end; 0 for anything else. */
function scalarSize(bytes: Uint8Array, at: number): number {
  const token = bytes[at] as number;
  if (token < 0x80 || token >= 0xe0) return 1;
  switch (token) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return 1;
    case 0xc4: // bin 8, 16, 32
      return at + 2 > bytes.length ? 0 : 2 + (bytes[at + 1] as number);
    case 0xc5:
      return at + 3 > bytes.length ? 0 : 3 + u16(bytes, at + 1);
    case 0xc6:
      return at + 5 > bytes.length ? 0 : 5 + u32(bytes, at + 1);
    case 0xcc: // uint 8, int 8
    case 0xd0:
      return 2;
    case 0xcd: // uint 16, int 16
    case 0xd1:
      return 3;
    case 0xce: // uint 32, int 32
    case 0xd2:
      return 5;
    case 0xcb: // double: integers beyond 32 bits
    case 0xd3: // int 64: bigint
      return 9;
    default:
      return 0;
  }
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) * 0x1_0000 + u16(bytes, at + 2);
}
