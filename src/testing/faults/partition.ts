/** Members that are cut off from the others: both ways, or in one direction only. */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface PartitionFault {
  readonly kind: 'partition';
  readonly target: FaultTarget;
  /** `in`: it hears nobody; `out`: nobody hears it. */
  readonly direction: 'both' | 'in' | 'out';
  /** Virtual milliseconds. */
  readonly forMs: number;
}

const directions = ['both', 'both', 'in', 'out'] as const;

/** @since 0.1.0 */
export const partitionFault: FaultType<PartitionFault> = {
  kind: 'partition',
  draw: (random, members) => ({
    kind: 'partition',
    target: drawTarget(random, members),
    direction: directions[randomInt(random, directions.length)] as PartitionFault['direction'],
    forMs: randomInt(random, 5) === 0 ? 12_000 : 200 + randomInt(random, 6_000),
  }),
  inject({ target, direction, forMs }, { cluster, resolve, until }) {
    const name = resolve(target);
    if (name === undefined) return;
    const { network } = cluster.sim;
    const others = cluster.names.filter((other) => other !== name);
    const ways = others.flatMap((other) => [
      ...(direction === 'out' ? [] : [{ from: other, to: name }]),
      ...(direction === 'in' ? [] : [{ from: name, to: other }]),
    ]);
    for (const way of ways) network.block(way);
    until(forMs, () => {
      for (const way of ways) network.unblock(way);
    });
  },
};
