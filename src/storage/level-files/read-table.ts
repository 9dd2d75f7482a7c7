/** Reads a table of LevelDB and verifies every byte of it. */
import type { FileSystem } from '../file-system.js';
import { levelCorrupt } from './damage.js';
import type { LiveTable } from './manifest.js';
import { tableDamage } from './table.js';

/** @since 0.1.0 */
export interface TableFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads a whole table.
 *
 * @param dir - folder of the database
 * @throws {KontikiError} STATE_CORRUPT, naming file and offset; STORAGE_IO
 * @since 0.1.0
 */
export async function readTable(fs: FileSystem, dir: string, table: LiveTable): Promise<TableFile> {
  const stem = `${dir}/${String(table.number).padStart(6, '0')}`;
  const path = `${stem}.ldb`;
  const bytes = (await fs.readFile(path)) ?? (await fs.readFile(`${stem}.sst`));
  if (bytes === undefined) throw levelCorrupt(path, { offset: 0, what: 'it is missing' });
  const isCut = bytes.length < table.size;
  const damage = isCut ? { offset: bytes.length, what: 'it is cut' } : tableDamage(bytes);
  if (damage !== undefined) throw levelCorrupt(path, damage);
  return { path, bytes };
}
