/**
 * One way between two members takes long for a while, as behind a full queue: what is sent there
 * arrives, in order, when much else has happened (TigerBeetle clogs its paths likewise).
 */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface SlowLinkFault {
  readonly kind: 'slow-link';
  /** From whom, or to whom. */
  readonly target: FaultTarget;
  readonly direction: 'from' | 'to';
  /** Which of the others is at the other end: counted in their order, from 0 on. */
  readonly other: number;
  /** Virtual milliseconds that messages take. */
  readonly delayMs: number;
  /** Virtual milliseconds. */
  readonly forMs: number;
}

/** @since 0.1.0 */
export const slowLinkFault: FaultType<SlowLinkFault> = {
  kind: 'slow-link',
  draw: (random, members) => ({
    kind: 'slow-link',
    target: drawTarget(random, members),
    direction: randomInt(random, 2) === 0 ? 'from' : 'to',
    other: randomInt(random, Math.max(1, members.length - 1)),
    delayMs: 20 + randomInt(random, randomInt(random, 2) === 0 ? 200 : 4_000),
    forMs: 200 + randomInt(random, 6_000),
  }),
  inject({ target, direction, other, delayMs, forMs }, { cluster, resolve, until }) {
    const name = resolve(target);
    const others = cluster.names.filter((each) => each !== name);
    const end = others[other % Math.max(1, others.length)];
    if (name === undefined || end === undefined) return;
    const way = direction === 'from' ? { from: name, to: end } : { from: end, to: name };
    const delayUs = delayMs * 1_000;
    const { network } = cluster.sim;
    network.configure({ delayMinUs: delayUs, delayMeanUs: delayUs }, way);
    until(forMs, () => network.calm(way));
  },
};
