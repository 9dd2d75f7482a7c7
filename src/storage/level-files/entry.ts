/** What LevelDB stores for one change of one key, in tables and logs alike. */
import { type BinaryString, utf8Text } from '../../base/bytes.js';
import { ByteReader, MalformedBytes } from './byte-reader.js';

/** @since 0.1.0 */
export interface LevelEntry {
  readonly key: BinaryString;
  /** Higher for later changes. */
  readonly sequence: number;
  /** A view; `undefined` for a deletion. */
  readonly value: Uint8Array | undefined;
}

const trailerBytes = 8;

/**
 * An entry of a table.
 *
 * @param internalKey - key, type u8 (1 put, 0 deleted), sequence u56
 * @throws MalformedBytes
 * @since 0.1.0
 */
export function levelEntry(internalKey: Uint8Array, value: Uint8Array): LevelEntry {
  const at = internalKey.length - trailerBytes;
  if (at < 0) throw new MalformedBytes('a key is too short');
  const reader = new ByteReader(internalKey, at);
  const type = reader.byte();
  if (type > 1) throw new MalformedBytes(`an entry has the unknown type ${type}`);
  const sequence = reader.fixed(6) + reader.byte() * 2 ** 48;
  const key = keyOf(internalKey.subarray(0, at));
  return { key, sequence, value: type === 1 ? value : undefined };
}

/**
 * The entries of a write batch: sequence u64, count u32, then for each type, key, value.
 *
 * @param batch - a record of a log
 * @throws MalformedBytes
 * @since 0.1.0
 */
export function batchEntries(batch: Uint8Array): LevelEntry[] {
  const reader = new ByteReader(batch);
  const first = reader.fixed(6) + reader.fixed(2) * 2 ** 48;
  const count = reader.fixed(4);
  const entries: LevelEntry[] = [];
  while (reader.left > 0) {
    const type = reader.byte();
    if (type > 1) throw new MalformedBytes(`an entry has the unknown type ${type}`);
    const key = keyOf(reader.string());
    const value = type === 1 ? reader.string() : undefined;
    entries.push({ key, sequence: first + entries.length, value });
  }
  if (entries.length !== count) throw new MalformedBytes(`${count} entries are expected`);
  return entries;
}

/** The order of LevelDB: by key, the newest change of a key first. @since 0.1.0 */
export function isBefore(a: LevelEntry, b: LevelEntry): boolean {
  return a.key === b.key ? a.sequence > b.sequence : a.key < b.key;
}

/** The engine's key: utf8 of units 0..255 (`abstract-level.ts`). */
function keyOf(bytes: Uint8Array): BinaryString {
  const key = utf8Text(bytes);
  for (let at = 0; at < key.length; at += 1) {
    if (key.charCodeAt(at) > 0xff) throw new MalformedBytes('a key is none of the engine');
  }
  return key;
}
