/**
 * Which files a LevelDB database consists of, by its manifest. A crash leaves others behind, halves
 * of a compaction and logs that became tables, that LevelDB removes when it opens; their damage means
 * nothing.
 */
import { utf8Text } from '../../base/bytes.js';
import { isKontikiError } from '../../base/errors.js';
import type { FileSystem } from '../file-system.js';
import { ByteReader, MalformedBytes } from './byte-reader.js';
import { levelCorrupt } from './damage.js';
import { type LevelEntry, levelEntry } from './entry.js';
import { readLogFile } from './log-file.js';

const noValue = new Uint8Array(0);

/** A table that belongs to the database. @since 0.1.0 */
export interface LiveTable {
  readonly number: number;
  readonly size: number;
  /** Tables of level 0 overlap; those of another one do not. */
  readonly level: number;
  /** Place of its first entry, without the value. */
  readonly first: LevelEntry;
}

/** What a manifest says. @since 0.1.0 */
export interface Manifest {
  readonly tables: readonly LiveTable[];
  /** Logs from this number on hold what is in no table yet. */
  readonly logNumber: number;
  /** One more log that does; 0 for none. */
  readonly previousLog: number;
}

/**
 * The present manifest of a database.
 *
 * @param fs - where it is
 * @param dir - its folder
 * @returns `undefined` where there is no database yet
 * @throws {KontikiError} STATE_CORRUPT, naming file and offset; STORAGE_IO
 * @since 0.1.0
 */
export async function readManifest(fs: FileSystem, dir: string): Promise<Manifest | undefined> {
  const current = await readCurrent(fs, dir);
  return current === undefined ? undefined : manifestNamed(fs, dir, current);
}

/**
 * What names the manifest. Without it LevelDB begins anew, takes its logs for those of the new database, and
 * removes all tables; so it is refused as soon as there is anything to lose. A first open that was cut short
 * leaves no more than an empty log.
 */
async function readCurrent(fs: FileSystem, dir: string): Promise<Uint8Array | undefined> {
  const path = `${dir}/CURRENT`;
  const current = await fs.readFile(path);
  if (current !== undefined || !(await holdsRecords(fs, dir))) return current;
  throw levelCorrupt(path, { offset: 0, what: 'it is missing' });
}

async function holdsRecords(fs: FileSystem, dir: string): Promise<boolean> {
  for (const name of await fs.list(dir)) {
    if (/\.(ldb|sst)$/.test(name)) return true;
    if (/^\d+\.log$/.test(name) && (await sizeOf(fs, `${dir}/${name}`)) > 0) return true;
  }
  return false;
}

async function sizeOf(fs: FileSystem, path: string): Promise<number> {
  const file = await fs.open(path, 'read');
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}

async function manifestNamed(fs: FileSystem, dir: string, current: Uint8Array): Promise<Manifest> {
  const [, name] = /^(MANIFEST-\d+)\n$/.exec(utf8Text(current)) ?? [];
  if (name === undefined) {
    throw levelCorrupt(`${dir}/CURRENT`, { offset: 0, what: 'it does not name a manifest' });
  }
  const path = `${dir}/${name}`;
  const bytes = await fs.readFile(path);
  if (bytes === undefined) throw levelCorrupt(path, { offset: 0, what: 'it is missing' });
  const { records, damage } = readLogFile(bytes);
  // LevelDB passes over what was never written.
  const wrong = damage.find(({ isBlank }) => !isBlank);
  if (wrong !== undefined) throw levelCorrupt(path, wrong);
  const draft = new ManifestDraft();
  for (const { offset, bytes: edit } of records) {
    try {
      draft.apply(edit);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      throw levelCorrupt(path, { offset, what: error.message });
    }
  }
  if (draft.isWhole) return draft.manifest;
  throw levelCorrupt(path, { offset: bytes.length, what: 'it is cut' });
}

/**
 * The tables of a database.
 *
 * @returns `undefined` when the manifest cannot be read to its end: LevelDB will refuse it, or start
 *   anew where nothing was yet
 * @throws {KontikiError} STATE_CORRUPT, when there are tables or logs but no manifest; STORAGE_IO
 * @since 0.1.0
 */
export async function liveTables(
  fs: FileSystem,
  dir: string,
): Promise<readonly LiveTable[] | undefined> {
  const current = await readCurrent(fs, dir);
  if (current === undefined) return undefined;
  try {
    return (await manifestNamed(fs, dir, current)).tables;
  } catch (error) {
    if (isKontikiError(error, 'STATE_CORRUPT')) return undefined;
    throw error;
  }
}

/** Numbers of an edit, by their tags. */
const tags = { log: 2, nextFile: 3, lastSequence: 4, previousLog: 9 } as const;

class ManifestDraft {
  readonly #tables = new Map<number, LiveTable>();
  readonly #numbers = new Map<number, number>();

  /** Whether there is what LevelDB asks for. */
  get isWhole(): boolean {
    return [tags.log, tags.nextFile, tags.lastSequence].every((tag) => this.#numbers.has(tag));
  }

  get manifest(): Manifest {
    return {
      tables: [...this.#tables.values()],
      logNumber: this.#numbers.get(tags.log) ?? 0,
      previousLog: this.#numbers.get(tags.previousLog) ?? 0,
    };
  }

  apply(edit: Uint8Array): void {
    const reader = new ByteReader(edit);
    while (reader.left > 0) {
      const tag = reader.varint();
      if (tag === 1) {
        reader.string();
      } else if (tag === 2 || tag === 3 || tag === 4 || tag === 9) {
        this.#numbers.set(tag, reader.varint());
      } else if (tag === 5) {
        reader.varint();
        reader.string();
      } else if (tag === 6) {
        reader.varint();
        this.#tables.delete(reader.varint());
      } else if (tag === 7) {
        this.#addTable(reader);
      } else {
        throw new MalformedBytes(`an edit of the unknown kind ${tag}`);
      }
    }
  }

  #addTable(reader: ByteReader): void {
    const level = reader.varint();
    const table = { level, number: reader.varint(), size: reader.varint() };
    const first = levelEntry(reader.string(), noValue);
    reader.string();
    this.#tables.set(table.number, { ...table, first });
  }
}
