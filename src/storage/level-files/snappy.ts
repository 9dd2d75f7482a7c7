/** Undoes the Snappy compression of a block. */
import { ByteReader, MalformedBytes } from './byte-reader.js';

/** More than any block of an index; bounds what is allocated before the data is known. */
const lengthMax = 64 * 1024 * 1024;

/**
 * The uncompressed bytes.
 *
 * @param compressed - raw Snappy, without a frame
 * @throws MalformedBytes
 * @since 0.1.0
 */
export function uncompress(compressed: Uint8Array): Uint8Array {
  const reader = new ByteReader(compressed);
  const length = reader.varint();
  if (length > lengthMax) throw new MalformedBytes('a block is too large');
  const out = new Uint8Array(length);
  let at = 0;
  while (reader.left > 0) {
    const tag = reader.byte();
    const kind = tag & 3;
    const [size, offset] = kind === 0 ? [literalLength(reader, tag), 0] : copyOf(reader, tag, kind);
    if (at + size > length) throw new MalformedBytes('a block is longer than it says');
    if (kind === 0) {
      out.set(reader.take(size), at);
    } else {
      if (offset === 0 || offset > at) throw new MalformedBytes('a copy reaches before its block');
      // Byte by byte: a copy may reach into what it writes.
      for (let n = 0; n < size; n += 1) out[at + n] = out[at + n - offset] as number;
    }
    at += size;
  }
  if (at !== length) throw new MalformedBytes('a block is shorter than it says');
  return out;
}

function literalLength(reader: ByteReader, tag: number): number {
  const short = tag >> 2;
  return 1 + (short < 60 ? short : reader.fixed(short - 59));
}

function copyOf(reader: ByteReader, tag: number, kind: number): [size: number, offset: number] {
  if (kind === 1) return [4 + ((tag >> 2) & 7), ((tag >> 5) << 8) + reader.byte()];
  return [1 + (tag >> 2), reader.fixed(kind === 2 ? 2 : 4)];
}
