/** Verifies the tables of a LevelDB database that nobody has open. */
import type { FileSystem } from '../file-system.js';
import { liveTables } from './manifest.js';
import { readTable } from './read-table.js';

/** @since 0.1.0 */
export interface VerifyTablesOptions {
  readonly fs: FileSystem;
  /** Folder of the database. */
  readonly dir: string;
  /** Bytes of tables to read at most, the newest first; default all. */
  readonly bytesMax?: number | undefined;
}

/** What was verified. @since 0.1.0 */
export interface VerifiedTables {
  readonly tables: number;
  readonly bytes: number;
  /** Bytes of tables that were left out for `bytesMax`. */
  readonly unread: number;
}

/**
 * Reads the tables of a database and verifies every byte of them. Logs and manifest are not looked at:
 * LevelDB verifies those when it opens, and the flush chain knows what it dropped.
 *
 * To be called before the database is opened: LevelDB would read damaged blocks as they are, and may
 * write what it read into a new table with a right checksum.
 *
 * @param options - see {@link VerifyTablesOptions}
 * @throws {KontikiError} STATE_CORRUPT, naming file and offset; STORAGE_IO
 * @since 0.1.0
 */
export async function verifyLevelTables(options: VerifyTablesOptions): Promise<VerifiedTables> {
  const { fs, dir, bytesMax = Number.POSITIVE_INFINITY } = options;
  const live = await liveTables(fs, dir);
  const found = { tables: 0, bytes: 0, unread: 0 };
  for (const table of [...(live ?? [])].sort((a, b) => b.number - a.number)) {
    if (found.bytes + table.size > bytesMax) {
      found.unread += table.size;
      continue;
    }
    await readTable(fs, dir, table);
    found.tables += 1;
    found.bytes += table.size;
  }
  return found;
}
