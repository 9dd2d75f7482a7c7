/**
 * Which tables a LevelDB database consists of, by its manifest. A crash leaves others behind, halves
 * of a compaction, that LevelDB removes when it opens; their damage means nothing.
 */
import { concatBytes, utf8Text } from '../../base/bytes.js';
import type { FileSystem } from '../file-system.js';
import { ByteReader, MalformedBytes } from './byte-reader.js';
import { crc32c, masked } from './crc32c.js';

const blockBytes = 32 * 1024;
const headBytes = 7;

/** A table that belongs to the database. @since 0.1.0 */
export interface LiveTable {
  readonly number: number;
  readonly size: number;
}

/**
 * The tables of a database.
 *
 * @param fs - where it is
 * @param dir - its folder
 * @returns `undefined` when the manifest cannot be read to its end: LevelDB will refuse it, or start
 *   anew where nothing was yet
 * @throws {KontikiError} STORAGE_IO
 * @since 0.1.0
 */
export async function liveTables(
  fs: FileSystem,
  dir: string,
): Promise<readonly LiveTable[] | undefined> {
  const current = await fs.readFile(`${dir}/CURRENT`);
  if (current === undefined) return undefined;
  const [, name] = /^(MANIFEST-\d+)\n$/.exec(utf8Text(current)) ?? [];
  const manifest = name === undefined ? undefined : await fs.readFile(`${dir}/${name}`);
  if (manifest === undefined) return undefined;
  try {
    const tables = new Map<number, LiveTable>();
    for (const edit of recordsOf(manifest)) applyEdit(edit, tables);
    return [...tables.values()];
  } catch (error) {
    if (error instanceof MalformedBytes) return undefined;
    throw error;
  }
}

/** The records of a log file: fragments in blocks. A record that the file ends inside is none. */
function recordsOf(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  let at = 0;
  while (bytes.length - at >= headBytes) {
    const inBlock = blockBytes - (at % blockBytes);
    if (inBlock < headBytes) {
      at += inBlock;
      continue;
    }
    const head = new ByteReader(bytes, at);
    const crc = head.fixed(4);
    const length = head.fixed(2);
    const type = head.byte();
    const end = at + headBytes + length;
    if (end > bytes.length) break;
    if (length > inBlock - headBytes || crc !== masked(crc32c(bytes, at + 6, end))) {
      throw new MalformedBytes('a record is damaged');
    }
    parts.push(bytes.subarray(at + headBytes, end));
    at = end;
    // 1 whole, 2 first, 3 middle, 4 last
    if (type !== 1 && type !== 4) continue;
    records.push(concatBytes(parts));
    parts = [];
  }
  return records;
}

function applyEdit(edit: Uint8Array, tables: Map<number, LiveTable>): void {
  const reader = new ByteReader(edit);
  while (reader.left > 0) {
    const tag = reader.varint();
    if (tag === 1) {
      reader.skipString();
    } else if (tag === 2 || tag === 3 || tag === 4 || tag === 9) {
      reader.varint();
    } else if (tag === 5) {
      reader.varint();
      reader.skipString();
    } else if (tag === 6) {
      reader.varint();
      tables.delete(reader.varint());
    } else if (tag === 7) {
      reader.varint();
      const table = { number: reader.varint(), size: reader.varint() };
      reader.skipString();
      reader.skipString();
      tables.set(table.number, table);
    } else {
      throw new MalformedBytes(`an edit of the unknown kind ${tag}`);
    }
  }
}
