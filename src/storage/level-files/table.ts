/**
 * Verifies a table file of LevelDB. LevelDB itself reads tables without looking at their checksums
 * unless it is asked to, and classic-level has no way to ask: a damaged block may lose keys without a
 * word, or end the process.
 *
 * ```
 *   block ... block   [filter]   metaindex   index   footer 48
 *   block    data, type u8 (1: Snappy), masked crc32c of both u32
 *   footer   handle of the metaindex, handle of the index, zeros up to byte 40, magic 8
 * ```
 *
 * A handle is offset and size. The blocks fill the file without a gap, so every byte is covered.
 */
import { blockEntries } from './block.js';
import { ByteReader, MalformedBytes } from './byte-reader.js';
import { crc32c, masked } from './crc32c.js';
import type { FileDamage } from './damage.js';
import { type LevelEntry, levelEntry } from './entry.js';
import { uncompress } from './snappy.js';

const footerBytes = 48;
const trailerBytes = 5;
const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb] as const;

interface Handle {
  readonly offset: number;
  readonly size: number;
}

/**
 * Verifies every byte of a table.
 *
 * @param bytes - the whole file
 * @returns the first damage found, `undefined` for none
 * @since 0.1.0
 */
export function tableDamage(bytes: Uint8Array): FileDamage | undefined {
  const footerAt = bytes.length - footerBytes;
  if (footerAt < 0) return { offset: bytes.length, what: 'it is cut' };
  try {
    const { metaindex, index } = readFooter(bytes.subarray(footerAt));
    const handles = [metaindex, index];
    for (const one of handles) {
      if (!isWhole(bytes, one, footerAt)) return { offset: one.offset, what: 'a block is damaged' };
    }
    handles.push(...handlesIn(contentOf(bytes, metaindex)), ...handlesIn(contentOf(bytes, index)));
    handles.sort((a, b) => a.offset - b.offset);
    let end = 0;
    for (const one of handles) {
      if (one.offset !== end) return { offset: end, what: 'blocks have a gap' };
      if (!isWhole(bytes, one, footerAt)) return { offset: one.offset, what: 'a block is damaged' };
      end += one.size + trailerBytes;
    }
    return end === footerAt ? undefined : { offset: end, what: 'blocks have a gap' };
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    return { offset: footerAt, what: error.message };
  }
}

/**
 * What is stored in a table, in the order of its keys.
 *
 * @param bytes - a whole file without {@link tableDamage}; values are views into it, or into a block
 * @throws MalformedBytes with the offset of its block
 * @since 0.1.0
 */
export function* tableEntries(bytes: Uint8Array): Generator<LevelEntry, void, undefined> {
  const { index } = readFooter(bytes.subarray(bytes.length - footerBytes));
  for (const handle of handlesIn(contentOf(bytes, index))) {
    try {
      for (const [key, value] of blockEntries(contentOf(bytes, handle))) {
        yield levelEntry(key, value);
      }
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      throw new MalformedBytes(error.message, handle.offset);
    }
  }
}

function readFooter(footer: Uint8Array): { readonly metaindex: Handle; readonly index: Handle } {
  const padded = footer.length - magic.length;
  if (magic.some((byte, at) => footer[padded + at] !== byte)) {
    throw new MalformedBytes('its end is not that of a table');
  }
  const reader = new ByteReader(footer.subarray(0, padded));
  const metaindex = readHandle(reader);
  const index = readHandle(reader);
  if (reader.take(reader.left).some((byte) => byte !== 0)) {
    throw new MalformedBytes('its end is not that of a table');
  }
  return { metaindex, index };
}

function readHandle(reader: ByteReader): Handle {
  return { offset: reader.varint(), size: reader.varint() };
}

function isWhole(bytes: Uint8Array, { offset, size }: Handle, footerAt: number): boolean {
  const crcAt = offset + size + 1;
  if (offset + size + trailerBytes > footerAt) return false;
  const stored = new ByteReader(bytes, crcAt).fixed(4);
  return stored === masked(crc32c(bytes, offset, crcAt));
}

/** A block whose checksum is right. */
function contentOf(bytes: Uint8Array, { offset, size }: Handle): Uint8Array {
  const data = bytes.subarray(offset, offset + size);
  const type = bytes[offset + size];
  if (type === 0) return data;
  if (type === 1) return uncompress(data);
  throw new MalformedBytes(`a block has the unknown type ${type}`);
}

/** The values of a block of handles. */
function handlesIn(block: Uint8Array): Handle[] {
  const found: Handle[] = [];
  for (const [, value] of blockEntries(block)) found.push(readHandle(new ByteReader(value)));
  return found;
}
