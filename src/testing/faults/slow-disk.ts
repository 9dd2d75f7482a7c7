/**
 * A disk whose operations take very long for a while, as one that remaps sectors does; or the disk of
 * the state alone, which falls behind the log then, and whose reads overlap with everything.
 */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface SlowDiskFault {
  readonly kind: 'slow-disk';
  readonly target: FaultTarget;
  /**
   * What lies on it; default the log and all files, but not the engines. `flushes`: the state, most of
   * which is read from memory, so that its writes alone are slow.
   */
  readonly holds?: 'flushes' | 'log' | 'state' | undefined;
  /** Virtual milliseconds by which each operation is slower. */
  readonly byMs: number;
  /** Virtual milliseconds. */
  readonly forMs: number;
  /** Whether its machine loses power in the end, with whatever is on its way to the disk. */
  readonly losesPower?: boolean | undefined;
}

/** Until a machine that lost power is started again, in virtual milliseconds. */
const downMs = 100;

/** @since 0.1.0 */
export const slowDiskFault: FaultType<SlowDiskFault> = {
  kind: 'slow-disk',
  draw(random, members) {
    // One that is alone may have durable, by a crash in the middle of a page, what nobody was told of.
    const isOfState = members.length > 1 && randomInt(random, 2) === 0;
    const part = randomInt(random, 2) === 0 ? 'state' : 'flushes';
    const holds = isOfState ? part : 'log';
    // A state is read many times for one entry.
    const mostMs = holds === 'state' ? 300 : 3_000;
    return {
      kind: 'slow-disk',
      target: drawTarget(random, members),
      holds,
      byMs: 1 + randomInt(random, randomInt(random, 2) === 0 ? 30 : mostMs),
      forMs: 200 + randomInt(random, 6_000),
      losesPower: randomInt(random, 2) === 0,
    };
  },
  inject({ target, holds, byMs, forMs, losesPower }, { cluster, resolve, restart, until }) {
    const name = resolve(target);
    if (name === undefined) return;
    const { disk, engineDisk } = cluster.machine(name);
    const slow = (byUs: number) => {
      if (holds === 'flushes') engineDisk.slowWritesByUs = byUs;
      else if (holds === 'state') engineDisk.slowByUs = byUs;
      else disk.slowByUs = byUs;
    };
    slow(byMs * 1_000);
    until(forMs, () => {
      slow(0);
      if (losesPower !== true) return;
      cluster.crash(name, 'power');
      until(downMs, () => restart(name));
    });
  },
};
