/**
 * A crash while a snapshot takes the place of log and state: some forty effects, and each of them must
 * leave what the next start can finish (DESIGN §4.14). A crash at any time hardly ever meets them.
 */
import { randomInt } from '../../base/prng.js';
import { type CrashAtFault, crashAtFault } from './crash-at.js';
import type { FaultType } from './fault-type.js';

/** Whoever installs next is hit. @since 0.1.0 */
export interface CrashInstallingFault
  extends Pick<CrashAtFault, 'how' | 'effects' | 'when' | 'downMs'> {
  readonly kind: 'crash-installing';
}

/** Those of an install, and of the first writes behind it. */
const effectsMax = 70;

/** @since 0.1.0 */
export const crashInstallingFault: FaultType<CrashInstallingFault> = {
  kind: 'crash-installing',
  draw: (random) => ({
    kind: 'crash-installing',
    how: randomInt(random, 2) === 0 ? 'power' : 'process',
    effects: 1 + randomInt(random, effectsMax),
    when: randomInt(random, 2) === 0 ? 'before' : 'after',
    downMs: randomInt(random, 1_000),
  }),
  inject(fault, context) {
    const at = { ...fault, kind: 'crash-at', target: 'follower', from: 'install' } as const;
    crashAtFault.inject(at, context);
  },
};
