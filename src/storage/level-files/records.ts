/**
 * Reads all records of a LevelDB database without opening it, which would write: what is newest of
 * each key, merged from its tables and logs. Every byte that is read is verified.
 */
import type { BinaryString } from '../../base/bytes.js';
import type { FileSystem } from '../file-system.js';
import { isBefore, type LevelEntry } from './entry.js';
import { type LiveLogs, readLiveLogs } from './live-logs.js';
import { type LiveTable, type Manifest, readManifest } from './manifest.js';
import { TableRun } from './table-run.js';

/** @since 0.1.0 */
export interface ReadRecordsOptions {
  readonly fs: FileSystem;
  /** Folder of the database, which nobody has open; one that is missing holds nothing. */
  readonly dir: string;
  /** Called for each key there is, in their order. The value is a view that must be copied to be kept. */
  readonly visit: (key: BinaryString, value: Uint8Array) => void;
}

/** What a database consists of. @since 0.1.0 */
export interface LevelContents {
  readonly tables: number;
  readonly tableBytes: number;
  readonly logs: number;
  readonly logBytes: number;
  /** Keys there are. */
  readonly records: number;
  /** A last write that never completed: LevelDB passes over it. */
  readonly torn?: { readonly file: string; readonly offset: number } | undefined;
}

/** A place in an ordered walk. */
interface Walk {
  readonly entry: LevelEntry | undefined;
  advance(): void | Promise<void>;
}

/**
 * Reads a database that was made with the comparator of bytes and with keys of the `utf8` encoding,
 * as `kontiki/storage/classic-level` makes them. In memory at a time: the logs, each table of level 0
 * and one of every other level.
 *
 * @param options - see {@link ReadRecordsOptions}
 * @throws {KontikiError} STATE_CORRUPT, naming file and offset; STORAGE_IO; what `visit` throws
 * @since 0.1.0
 */
export async function readLevelRecords(options: ReadRecordsOptions): Promise<LevelContents> {
  const { fs, dir, visit } = options;
  const names = await fs.list(dir);
  const manifest = await readManifest(fs, dir);
  // Without a manifest there is nothing yet.
  const { tables, ...numbers }: Manifest = manifest ?? { tables: [], logNumber: 1, previousLog: 0 };
  const { bytes, entries, logs, torn } = await readLiveLogs(fs, dir, names, numbers);
  const walks: Walk[] = [new EntryWalk(entries)];
  for (const run of runsOf(tables)) walks.push(new TableRun(fs, dir, run));
  for (const walk of walks) await walk.advance();
  return {
    tables: tables.length,
    tableBytes: tables.reduce((sum, table) => sum + table.size, 0),
    ...{ logs, logBytes: bytes, torn },
    records: await merge(walks, visit),
  };
}

async function merge(walks: readonly Walk[], visit: ReadRecordsOptions['visit']): Promise<number> {
  let records = 0;
  let last: BinaryString | undefined;
  for (;;) {
    const walk = foremost(walks);
    if (walk?.entry === undefined) return records;
    const { key, value } = walk.entry;
    if (key !== last && value !== undefined) {
      visit(key, value);
      records += 1;
    }
    last = key;
    const read = walk.advance();
    if (read !== undefined) await read;
  }
}

/** There are some twenty at most. */
function foremost(walks: readonly Walk[]): Walk | undefined {
  let first: Walk | undefined;
  for (const walk of walks) {
    if (walk.entry === undefined) continue;
    if (first?.entry === undefined || isBefore(walk.entry, first.entry)) first = walk;
  }
  return first;
}

class EntryWalk implements Walk {
  readonly #entries: Iterator<LevelEntry>;
  entry: LevelEntry | undefined;

  constructor(entries: LiveLogs['entries']) {
    this.#entries = entries[Symbol.iterator]();
  }

  advance(): void {
    this.entry = this.#entries.next().value;
  }
}

/** The tables of level 0 overlap; those of another level follow each other. */
function runsOf(tables: readonly LiveTable[]): LiveTable[][] {
  const levels = new Map<number, LiveTable[]>();
  const runs: LiveTable[][] = [];
  for (const table of tables) {
    const run = table.level === 0 ? undefined : levels.get(table.level);
    if (run !== undefined) {
      run.push(table);
      continue;
    }
    const started = [table];
    runs.push(started);
    levels.set(table.level, started);
  }
  for (const run of runs) run.sort((a, b) => (isBefore(a.first, b.first) ? -1 : 1));
  return runs;
}
