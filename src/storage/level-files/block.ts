/** The pairs of a block of a LevelDB table: keys without what they share with the one before. */
import { ByteReader, MalformedBytes } from './byte-reader.js';

/**
 * Walks over a block.
 *
 * @param block - uncompressed: pairs, then restart points
 * @returns key and value; the key is overwritten by the next step, the value is a view
 * @throws MalformedBytes
 * @since 0.1.0
 */
export function* blockEntries(
  block: Uint8Array,
): Generator<readonly [key: Uint8Array, value: Uint8Array], void, undefined> {
  if (block.length < 4) throw new MalformedBytes('a block has no restart points');
  const restarts = new ByteReader(block, block.length - 4).fixed(4);
  const end = block.length - 4 - 4 * restarts;
  if (end < 0) throw new MalformedBytes('a block has too many restart points');
  const reader = new ByteReader(block.subarray(0, end));
  let key = new Uint8Array(256);
  let keyBytes = 0;
  while (reader.left > 0) {
    const shared = reader.varint();
    const own = reader.varint();
    const valueBytes = reader.varint();
    if (shared > keyBytes) throw new MalformedBytes('a key shares more than there is');
    const rest = reader.take(own);
    keyBytes = shared + own;
    if (keyBytes > key.length) {
      const larger = new Uint8Array(2 * keyBytes);
      larger.set(key.subarray(0, shared));
      key = larger;
    }
    key.set(rest, shared);
    yield [key.subarray(0, keyBytes), reader.take(valueBytes)];
  }
}
