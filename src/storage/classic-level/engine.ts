/** The key-value engine on LevelDB, through classic-level. */
import { ClassicLevel } from 'classic-level';
import { LevelEngine, levelOptions } from '../abstract-level.js';
import type { KvEngine } from '../kv-engine.js';

/**
 * Opens a LevelDB database as the engine; creates the folder, and its parents, if missing.
 *
 * A synced write is on stable storage when it resolves, but LevelDB 1.20 may drop a damaged record of
 * its own log at the next open without a word: whoever needs to know keeps a flush chain
 * (`WriteBehindBackend` does).
 *
 * @param path - folder of this database alone
 * @throws {KontikiError} DIR_LOCKED, STATE_CORRUPT, NO_SPACE, STORAGE_IO
 * @since 0.1.0
 * @example const engine = await openClassicLevel(`${dir}/state`);
 */
export async function openClassicLevel(path: string): Promise<KvEngine> {
  return LevelEngine.open(() => new ClassicLevel<string, Uint8Array>(path, levelOptions));
}
