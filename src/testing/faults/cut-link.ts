/**
 * Two members that do not reach each other while both reach the rest: what made Raft without
 * pre-vote and quorum checks elect for hours (Cloudflare, 2020).
 */
import { randomInt } from '../../base/prng.js';
import type { FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface CutLinkFault {
  readonly kind: 'cut-link';
  readonly between: readonly [string, string];
  /** Virtual milliseconds. */
  readonly forMs: number;
}

/** @since 0.1.0 */
export const cutLinkFault: FaultType<CutLinkFault> = {
  kind: 'cut-link',
  draw(random, members) {
    const first = randomInt(random, members.length);
    const second =
      (first + 1 + randomInt(random, Math.max(1, members.length - 1))) % members.length;
    const between = [members[first] as string, members[second] as string] as const;
    return { kind: 'cut-link', between, forMs: 500 + randomInt(random, 8_000) };
  },
  inject({ between: [a, b], forMs }, { cluster, until }) {
    if (a === b) return;
    const { network } = cluster.sim;
    const ways = [
      { from: a, to: b },
      { from: b, to: a },
    ];
    for (const way of ways) network.block(way);
    until(forMs, () => {
      for (const way of ways) network.unblock(way);
    });
  },
};
