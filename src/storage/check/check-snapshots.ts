/** Verifies every snapshot of a folder, and changes nothing in it. */
import { isKontikiError, type KontikiErrorOf } from '../../base/errors.js';
import type { FileSystem } from '../file-system.js';
import { inspectNamed } from '../snapshot-files/inspect.js';
import { parseSnapshotName } from '../snapshot-files/name.js';
import { verifySnapshotFile } from '../snapshot-files/verify.js';
import type { SnapshotMeta } from '../snapshot-store.js';

/** @since 0.1.0 */
export interface SnapshotsCheck {
  /** Those that are whole, oldest first. */
  readonly intact: readonly SnapshotMeta[];
  readonly damage: readonly KontikiErrorOf<'SNAPSHOT_CORRUPT'>[];
}

/**
 * Reads every snapshot to its end.
 *
 * @param fs - where they are
 * @param dir - folder of the snapshots; one that is missing has none
 * @throws {KontikiError} FORMAT_UNSUPPORTED, STORAGE_IO
 * @since 0.1.0
 */
export async function checkSnapshots(fs: FileSystem, dir: string): Promise<SnapshotsCheck> {
  const intact: SnapshotMeta[] = [];
  const damage: KontikiErrorOf<'SNAPSHOT_CORRUPT'>[] = [];
  for (const name of await fs.list(dir)) {
    if (parseSnapshotName(name) === undefined) continue;
    try {
      await inspectNamed(fs, dir, name);
      intact.push(await verifySnapshotFile(fs, `${dir}/${name}`));
    } catch (error) {
      if (!isKontikiError(error, 'SNAPSHOT_CORRUPT')) throw error;
      damage.push(error);
    }
  }
  return { intact, damage };
}
