/**
 * A sync that fails once. What it was to write may be gone although reads still show it; a member must
 * never try again on the same handle (Rebello et al., ATC'20).
 */
import { type Random, randomInt } from '../../base/prng.js';
import type { SimDisk } from '../sim-disk.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface FailedSyncFault {
  readonly kind: 'failed-sync';
  readonly target: FaultTarget;
  readonly data: 'lost' | 'kept';
  /** Default `STORAGE_IO`. */
  readonly reports?: 'STORAGE_IO' | 'NO_SPACE';
}

/** A file that is not synced for as long gets away with it, as all do once the run heals. */
const armedMs = 5_000;

/** @since 0.1.0 */
export const failedSyncFault: FaultType<FailedSyncFault> = {
  kind: 'failed-sync',
  draw: (random, members) => ({
    kind: 'failed-sync',
    target: drawTarget(random, members),
    data: randomInt(random, 2) === 0 ? 'lost' : 'kept',
    reports: randomInt(random, 2) === 0 ? 'STORAGE_IO' : 'NO_SPACE',
  }),
  inject({ target, data, reports = 'STORAGE_IO' }, { cluster, resolve, random, until, mayStop }) {
    const name = resolve(target);
    if (name === undefined) return;
    const { disk } = cluster.machine(name);
    const path = randomInt(random, 2) === 0 ? newestSegment(disk) : anyFile(disk, random);
    if (path === undefined) return;
    // The log waits for space.
    if (reports === 'STORAGE_IO' || !path.endsWith('.wal')) mayStop(name);
    disk.failSync(path, { data, reports });
    until(armedMs, () => disk.healSyncs());
  },
};

/** The file that is synced all the time. */
function newestSegment(disk: SimDisk): string | undefined {
  const paths = [...disk.names.files()].map(([path]) => path);
  return paths
    .filter((path) => path.endsWith('.wal'))
    .sort()
    .at(-1);
}

function anyFile(disk: SimDisk, random: Random): string | undefined {
  const paths = [...disk.names.files()].map(([path]) => path);
  return paths.length === 0 ? undefined : paths[randomInt(random, paths.length)];
}
