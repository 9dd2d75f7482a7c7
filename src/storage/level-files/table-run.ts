/** Tables of LevelDB one behind the other, as long as their keys ascend: a level, or a single table. */
import type { FileSystem } from '../file-system.js';
import { MalformedBytes } from './byte-reader.js';
import { levelCorrupt } from './damage.js';
import { isBefore, type LevelEntry } from './entry.js';
import type { LiveTable } from './manifest.js';
import { readTable, type TableFile } from './read-table.js';
import { tableEntries } from './table.js';

/**
 * A walk over tables of which one at a time is in memory, each verified when it is read.
 *
 * @since 0.1.0
 */
export class TableRun {
  readonly #fs: FileSystem;
  readonly #dir: string;
  readonly #tables: readonly LiveTable[];
  #next = 0;
  #file: TableFile | undefined;
  #entries: Iterator<LevelEntry, void> | undefined;
  #entry: LevelEntry | undefined;

  /**
   * @param fs - where the database is
   * @param dir - its folder
   * @param tables - in the order of their keys
   */
  constructor(fs: FileSystem, dir: string, tables: readonly LiveTable[]) {
    this.#fs = fs;
    this.#dir = dir;
    this.#tables = tables;
  }

  /** Where it stands; `undefined` behind the last entry. */
  get entry(): LevelEntry | undefined {
    return this.#entry;
  }

  /**
   * Steps to the next entry, at first to the first one.
   *
   * @returns what to wait for, when a table has to be read
   * @throws {KontikiError} STATE_CORRUPT, naming file and offset; STORAGE_IO
   */
  advance(): void | Promise<void> {
    const last = this.#entry;
    const entry = this.#step();
    if (entry === undefined) return this.#open();
    if (last !== undefined && !isBefore(last, entry)) {
      throw this.#damaged('its keys do not ascend');
    }
    this.#entry = entry;
  }

  async #open(): Promise<void> {
    const table = this.#tables[this.#next];
    this.#next += 1;
    if (table === undefined) {
      this.#entry = undefined;
      return;
    }
    this.#file = await readTable(this.#fs, this.#dir, table);
    this.#entries = tableEntries(this.#file.bytes);
    await this.advance();
  }

  #step(): LevelEntry | undefined {
    try {
      return this.#entries?.next().value ?? undefined;
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      throw this.#damaged(error.message, error.offset);
    }
  }

  #damaged(what: string, offset = 0) {
    const { path } = this.#file as TableFile;
    return levelCorrupt(path, { offset, what });
  }
}
