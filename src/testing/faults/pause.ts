/** A process that stands still for a while: SIGSTOP, a frozen virtual machine, a long collection. */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface PauseFault {
  readonly kind: 'pause';
  readonly target: FaultTarget;
  /** Virtual milliseconds. */
  readonly forMs: number;
}

/** @since 0.1.0 */
export const pauseFault: FaultType<PauseFault> = {
  kind: 'pause',
  draw: (random, members) => ({
    kind: 'pause',
    target: drawTarget(random, members),
    forMs: 50 + randomInt(random, 5_000),
  }),
  inject({ target, forMs }, { cluster, resolve, until }) {
    const name = resolve(target);
    if (name === undefined) return;
    const machine = cluster.machine(name);
    machine.pause();
    until(forMs, () => machine.resume());
  },
};
