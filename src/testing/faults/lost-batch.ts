/**
 * A batch that LevelDB drops from the middle of its own log at the next start, without a word, while it
 * keeps later ones (reliability plan §0.6): the chain of flushes must notice.
 */
import { isKontikiError } from '../../base/errors.js';
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface LostBatchFault {
  readonly kind: 'lost-batch';
  readonly target: FaultTarget;
  /** 0 for the newest batch, 1 for the one before it. */
  readonly back: number;
  /** Virtual milliseconds for which the member is down when it happens. */
  readonly downMs: number;
}

/** @since 0.1.0 */
export const lostBatchFault: FaultType<LostBatchFault> = {
  kind: 'lost-batch',
  draw: (random, members) => ({
    kind: 'lost-batch',
    target: drawTarget(random, members),
    back: randomInt(random, 6),
    downMs: randomInt(random, 1_000),
  }),
  inject({ target, back, downMs }, { cluster, resolve, mayDamage, until, restart }) {
    const name = resolve(target);
    if (name === undefined || !mayDamage(name)) return;
    const { engineDisk } = cluster.machine(name);
    cluster.crash(name, 'process');
    for (const path of engineDisk.paths) {
      try {
        engineDisk.dropBatch(path, back);
      } catch (error) {
        // There are no batches of that age.
        if (!isKontikiError(error, 'ARGUMENT_INVALID')) throw error;
      }
    }
    until(downMs, () => restart(name));
  },
};
