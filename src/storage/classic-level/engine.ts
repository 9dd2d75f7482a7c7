/** The key-value engine on LevelDB, through classic-level. */
import { ClassicLevel } from 'classic-level';
import type { Clock } from '../../base/clock.js';
import { LevelEngine, levelOptions } from '../abstract-level.js';
import type { FileSystem } from '../file-system.js';
import type { KvEngine } from '../kv-engine.js';
import { verifyLevelTables } from '../level-files/verify.js';

/** @since 0.1.0 */
export interface ClassicLevelOptions {
  /**
   * Where the folder is. When given, the tables are verified before LevelDB opens them, which it does
   * not do itself: without it a damaged table can lose keys silently, or end the process, and a lost
   * `CURRENT` all of them.
   */
  readonly fs?: FileSystem | undefined;
  /** Bytes of tables to verify at most, the newest first; default 64 MiB, some 0.2 s. */
  readonly verifyBytesMax?: number | undefined;
  /** Lets single keys be read at once while reads take microseconds; default: all reads wait. */
  readonly clock?: Clock | undefined;
  /** Called before each write; what it throws fails the write. */
  readonly beforeWrite?: (() => void) | undefined;
}

const verifyBytesDefault = 64 * 1024 * 1024;

/**
 * Opens a LevelDB database as the engine; creates the folder, and its parents, if missing.
 *
 * A synced write is on stable storage when it resolves, but LevelDB 1.20 may drop a damaged record of
 * its own log at the next open without a word: whoever needs to know keeps a flush chain
 * (`WriteBehindBackend` does).
 *
 * @param path - folder of this database alone
 * @param options - see {@link ClassicLevelOptions}
 * @throws {KontikiError} DIR_LOCKED, STATE_CORRUPT, NO_SPACE, STORAGE_IO
 * @since 0.1.0
 * @example const engine = await openClassicLevel(`${dir}/state`, { fs: nodeFileSystem });
 */
export async function openClassicLevel(
  path: string,
  options: ClassicLevelOptions = {},
): Promise<KvEngine> {
  const { fs, clock, beforeWrite, verifyBytesMax = verifyBytesDefault } = options;
  if (fs !== undefined) await verifyLevelTables({ fs, dir: path, bytesMax: verifyBytesMax });
  const construct = () => new ClassicLevel<string, Uint8Array>(path, levelOptions);
  const engine = await LevelEngine.open(construct, { clock, beforeWrite });
  if (fs === undefined) return engine;
  try {
    // LevelDB has given another file the name of CURRENT, and does not sync that. Without one it is refused.
    await fs.syncDirectory(path);
    return engine;
  } catch (error) {
    await engine.close().catch(() => undefined);
    throw error;
  }
}
