/**
 * A write of the keyspace's engine that fails once. Nothing of it counts as durable, although some of it
 * may be there: the log must stay, and the member must stop, or open the engine again if it was space that
 * lacked.
 */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface FailedFlushFault {
  readonly kind: 'failed-flush';
  readonly target: FaultTarget;
  /** Default `STORAGE_IO`. */
  readonly code?: 'STORAGE_IO' | 'NO_SPACE';
  /** Whether reads show the batch all the same, until a power cut takes it. */
  readonly kept: boolean;
}

/** An engine that is not written to for as long gets away with it, as all do once the run heals. */
const armedMs = 5_000;

/** @since 0.1.0 */
export const failedFlushFault: FaultType<FailedFlushFault> = {
  kind: 'failed-flush',
  draw: (random, members) => ({
    kind: 'failed-flush',
    target: drawTarget(random, members),
    kept: randomInt(random, 2) === 0,
    code: randomInt(random, 2) === 0 ? 'STORAGE_IO' : 'NO_SPACE',
  }),
  inject({ target, code = 'STORAGE_IO', kept }, { cluster, resolve, mayStop, until }) {
    const name = resolve(target);
    if (name === undefined) return;
    if (code === 'STORAGE_IO') mayStop(name);
    const { engineDisk } = cluster.machine(name);
    for (const path of engineDisk.paths) engineDisk.failWrite(path, { code, kept });
    until(armedMs, () => engineDisk.healWrites());
  },
};
