/** Connections that break while both ends live: what was in flight on them is lost. */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface BrokenLinksFault {
  readonly kind: 'broken-links';
  readonly target: FaultTarget;
  /** How often, one virtual second apart. */
  readonly times: number;
}

/** @since 0.1.0 */
export const brokenLinksFault: FaultType<BrokenLinksFault> = {
  kind: 'broken-links',
  draw: (random, members) => ({
    kind: 'broken-links',
    target: drawTarget(random, members),
    times: 1 + randomInt(random, 5),
  }),
  inject({ target, times }, { cluster, resolve, until }) {
    const name = resolve(target);
    if (name === undefined) return;
    const reset = () => {
      for (const other of cluster.names) {
        if (other !== name) cluster.sim.network.reset({ from: name, to: other });
      }
    };
    reset();
    for (let time = 1; time < times; time += 1) until(time * 1_000, reset);
  },
};
