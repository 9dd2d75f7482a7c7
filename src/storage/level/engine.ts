/** The key-value engine on `level`: LevelDB on Node, IndexedDB in a browser. */
import { Level } from 'level';
import { LevelEngine, levelOptions } from '../abstract-level.js';
import type { KvEngine } from '../kv-engine.js';

/**
 * Opens a `level` database as the engine.
 *
 * In a browser `path` is the name of an IndexedDB database; there `sync` is as strong as the browser
 * makes it, and a cursor held open holds up writes (IndexedDB has no snapshots).
 *
 * @param path - folder, or database name, of this engine alone
 * @throws {KontikiError} DIR_LOCKED, STATE_CORRUPT, NO_SPACE, STORAGE_IO
 * @since 0.1.0
 */
export async function openLevel(path: string): Promise<KvEngine> {
  return LevelEngine.open(() => new Level<string, Uint8Array>(path, levelOptions));
}
