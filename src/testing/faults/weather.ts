/** A network that loses, repeats, reorders and delays for a while. */
import { randomInt } from '../../base/prng.js';
import type { PathOptions } from '../sim-path.js';
import type { FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface WeatherFault {
  readonly kind: 'weather';
  readonly path: Pick<
    PathOptions,
    'dropRate' | 'duplicateRate' | 'reorder' | 'delayMinUs' | 'delayMeanUs'
  >;
  /** Virtual milliseconds. */
  readonly forMs: number;
}

/** @since 0.1.0 */
export const weatherFault: FaultType<WeatherFault> = {
  kind: 'weather',
  draw(random) {
    const delayMinUs = 100 + randomInt(random, 2_000);
    return {
      kind: 'weather',
      path: {
        dropRate: randomInt(random, 4) / 20,
        duplicateRate: randomInt(random, 4) / 10,
        reorder: randomInt(random, 2) === 0,
        delayMinUs,
        delayMeanUs: delayMinUs + randomInt(random, 80_000),
      },
      forMs: 500 + randomInt(random, 8_000),
    };
  },
  inject({ path, forMs }, { cluster, until }) {
    const { network } = cluster.sim;
    network.configure(path);
    until(forMs, () => network.calm());
  },
};
