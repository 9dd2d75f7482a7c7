/**
 * Bits turn on the way from one member to the others, where no checksum of the network notices: each
 * such frame has to end its connection, and nothing else.
 */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface DamagedFramesFault {
  readonly kind: 'damaged-frames';
  /** Whose messages. */
  readonly target: FaultTarget;
  /** Of so many one is damaged. */
  readonly oneOf: number;
  /** Virtual milliseconds. */
  readonly forMs: number;
}

/** @since 0.1.0 */
export const damagedFramesFault: FaultType<DamagedFramesFault> = {
  kind: 'damaged-frames',
  draw: (random, members) => ({
    kind: 'damaged-frames',
    target: drawTarget(random, members),
    oneOf: 2 + randomInt(random, 100),
    forMs: 200 + randomInt(random, 6_000),
  }),
  inject({ target, oneOf, forMs }, { cluster, resolve, until }) {
    const name = resolve(target);
    if (name === undefined) return;
    const { network } = cluster.sim;
    const ways = cluster.names
      .filter((other) => other !== name)
      .map((other) => ({ from: name, to: other }));
    for (const way of ways) network.configure({ damageRate: 1 / oneOf }, way);
    until(forMs, () => {
      for (const way of ways) network.configure({ damageRate: 0 }, way);
    });
  },
};
