/**
 * A follower that nobody reaches for so long that the others let go of the log it needs: it lives on,
 * with clients and watchers, until a snapshot takes the place of all it holds.
 */
import { randomInt } from '../../base/prng.js';
import { brokenLinksFault } from './broken-links.js';
import type { FaultContext, FaultType } from './fault-type.js';
import { partitionFault } from './partition.js';

/** @since 0.1.0 */
export interface LeftBehindFault {
  readonly kind: 'left-behind';
  /** Virtual milliseconds. */
  readonly forMs: number;
  /** By how many virtual milliseconds its disk is slower when it is back; default 0. */
  readonly slowByMs?: number | undefined;
  /** `in`: the others hear it all the while, and do what it asks; default `both`. */
  readonly direction?: 'both' | 'in' | undefined;
  /** For how many virtual milliseconds it is away once more, from the next install on; default 0. */
  readonly againMs?: number | undefined;
}

/** How long it stays so, in virtual milliseconds. */
const slowForMs = 3_000;

/** Who needs no snapshot is spared. */
const armedMs = 3_000;

/** Until both ends of a connection have noticed that it broke, and before there is another one. */
const noticeMs = 8;

/** @since 0.1.0 */
export const leftBehindFault: FaultType<LeftBehindFault> = {
  kind: 'left-behind',
  draw: (random) => ({
    kind: 'left-behind',
    forMs:
      randomInt(random, 2) === 0
        ? 500 + randomInt(random, 1_500)
        : 1_200 + randomInt(random, 7_000),
    slowByMs: randomInt(random, 3) === 0 ? 1 + randomInt(random, 100) : 0,
    direction: randomInt(random, 3) === 0 ? 'in' : 'both',
    againMs: randomInt(random, 4) === 0 ? 500 + randomInt(random, 5_000) : 0,
  }),
  inject({ forMs, slowByMs = 0, direction = 'both', againMs = 0 }, context) {
    const { cluster, resolve, until } = context;
    const target = resolve('follower');
    if (target === undefined) return;
    partitionFault.inject({ kind: 'partition', target, direction, forMs }, context);
    if (againMs > 0) until(forMs + armedMs, leaveAgain(againMs, context));
    if (slowByMs === 0) return;
    const { disk } = cluster.machine(target);
    until(forMs, () => {
      disk.slowByUs = slowByMs * 1_000;
    });
    until(forMs + slowForMs, () => {
      disk.slowByUs = 0;
    });
  },
};

/**
 * Whoever installs next loses its connections and is cut off: what was asked there before has no leader
 * to be handed to again.
 *
 * @returns ends it; who is away already stays away
 */
function leaveAgain(forMs: number, context: FaultContext): () => void {
  let isOver = false;
  const stop = context.onMoment('install', (target) => {
    brokenLinksFault.inject({ kind: 'broken-links', target, times: 1 }, context);
    context.cluster.sim.scheduler.after(noticeMs * 1_000, () => {
      const cut = { kind: 'partition', target, direction: 'both', forMs } as const;
      if (!isOver) partitionFault.inject(cut, context);
    });
  });
  return () => {
    isOver = true;
    stop();
  };
}
