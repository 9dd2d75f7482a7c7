/**
 * A leader whose disk stalls and whom nobody reaches until the others have elected another one. What it
 * took meanwhile is replaced while it is still on its way to the disk, and a log that speaks for groups
 * on their way must then speak for what took their place (reliability plan §4, R7).
 */
import { randomInt } from '../../base/prng.js';
import type { FaultType } from './fault-type.js';
import { partitionFault } from './partition.js';

/** @since 0.1.0 */
export interface DeposedFault {
  readonly kind: 'deposed';
  /** Virtual milliseconds for which it is cut off. */
  readonly forMs: number;
  /** Virtual milliseconds by which each operation of its disk is slower. */
  readonly slowByMs: number;
  /** Virtual milliseconds for which the disk stays so when it is back. */
  readonly slowForMs: number;
}

/** Between the stall and the cut, in virtual milliseconds: something is on its way by then. */
const leadMs = 50;

/** @since 0.1.0 */
export const deposedFault: FaultType<DeposedFault> = {
  kind: 'deposed',
  draw: (random) => ({
    kind: 'deposed',
    forMs: 200 + randomInt(random, randomInt(random, 2) === 0 ? 800 : 3_000),
    slowByMs: 50 + randomInt(random, randomInt(random, 2) === 0 ? 300 : 2_000),
    slowForMs: 200 + randomInt(random, 3_000),
  }),
  inject({ forMs, slowByMs, slowForMs }, context) {
    const { cluster, resolve, until } = context;
    const target = resolve('leader');
    if (target === undefined) return;
    const { disk } = cluster.machine(target);
    disk.slowByUs = slowByMs * 1_000;
    let isOver = false;
    cluster.sim.scheduler.after(leadMs * 1_000, () => {
      const cut = { kind: 'partition', target, direction: 'both', forMs } as const;
      if (!isOver) partitionFault.inject(cut, context);
    });
    until(leadMs + forMs + slowForMs, () => {
      isOver = true;
      disk.slowByUs = 0;
    });
  },
};
