/**
 * Writes that members hand to their leader arrive a second time, up to seconds later: beyond the
 * contract of a transport, and all the same nothing may take effect twice.
 */
import { randomInt } from '../../base/prng.js';
import type { FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface RepeatedForwardsFault {
  readonly kind: 'repeated-forwards';
  /** Of the messages, a fraction. */
  readonly rate: number;
  /** Virtual milliseconds. */
  readonly forMs: number;
}

/** @since 0.1.0 */
export const repeatedForwardsFault: FaultType<RepeatedForwardsFault> = {
  kind: 'repeated-forwards',
  draw: (random) => ({
    kind: 'repeated-forwards',
    rate: (1 + randomInt(random, 5)) / 5,
    forMs: 500 + randomInt(random, 8_000),
  }),
  inject({ rate, forMs }, { cluster, until }) {
    const { network } = cluster.sim;
    network.configure({ forwardRepeatRate: rate });
    until(forMs, () => network.configure({ forwardRepeatRate: 0 }));
  },
};
