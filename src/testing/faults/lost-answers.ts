/** What a leader is asked arrives, and what it answers does not, though the connection stands. */
import { randomInt } from '../../base/prng.js';
import type { FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface LostAnswersFault {
  readonly kind: 'lost-answers';
  /** Of the answers, a fraction. */
  readonly rate: number;
  /** Virtual milliseconds. */
  readonly forMs: number;
}

/** @since 0.1.0 */
export const lostAnswersFault: FaultType<LostAnswersFault> = {
  kind: 'lost-answers',
  draw: (random) => ({
    kind: 'lost-answers',
    rate: (1 + randomInt(random, 4)) / 4,
    forMs: 500 + randomInt(random, 6_000),
  }),
  inject({ rate, forMs }, { cluster, until }) {
    const { network } = cluster.sim;
    network.configure({ answerDropRate: rate });
    until(forMs, () => network.configure({ answerDropRate: 0 }));
  },
};
