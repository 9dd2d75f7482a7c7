/**
 * A write of the keyspace's engine that fails once. Nothing of it counts as durable, although some of it
 * may be there: the log must stay, and the member must stop.
 */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface FailedFlushFault {
  readonly kind: 'failed-flush';
  readonly target: FaultTarget;
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
  }),
  inject({ target, kept }, { cluster, resolve, mayStop, until }) {
    const name = resolve(target);
    if (name === undefined) return;
    mayStop(name);
    const { engineDisk } = cluster.machine(name);
    for (const path of engineDisk.paths) engineDisk.failWrite(path, { code: 'STORAGE_IO', kept });
    until(armedMs, () => engineDisk.healWrites());
  },
};
