/** All machines lose power in the same instant, and come back one after the other. */
import { randomInt } from '../../base/prng.js';
import type { FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface PowerCutFault {
  readonly kind: 'power-cut';
  /** Virtual milliseconds until the first is started again. */
  readonly downMs: number;
  /** And between each and the next. */
  readonly staggerMs: number;
}

/** @since 0.1.0 */
export const powerCutFault: FaultType<PowerCutFault> = {
  kind: 'power-cut',
  draw: (random) => ({
    kind: 'power-cut',
    downMs: randomInt(random, 1_000),
    staggerMs: randomInt(random, 1_500),
  }),
  inject({ downMs, staggerMs }, { cluster, until, restart }) {
    for (const name of cluster.names) cluster.crash(name, 'power');
    cluster.names.forEach((name, at) => {
      until(downMs + at * staggerMs, () => restart(name));
    });
  },
};
