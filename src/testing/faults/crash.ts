/** A process that dies, by itself or with its machine, and comes back some time later. */
import { randomInt } from '../../base/prng.js';
import type { CrashKind } from '../sim-machine.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface CrashFault {
  readonly kind: 'crash';
  readonly target: FaultTarget;
  readonly how: CrashKind;
  /** Virtual milliseconds until it is started again. */
  readonly downMs: number;
}

/** Now and then one is away for so long that others have let go of the log it needs. */
const longMs = [5_000, 12_000];

/** @since 0.1.0 */
export const crashFault: FaultType<CrashFault> = {
  kind: 'crash',
  draw: (random, members) => ({
    kind: 'crash',
    target: drawTarget(random, members),
    how: randomInt(random, 2) === 0 ? 'power' : 'process',
    downMs: longMs[randomInt(random, 8)] ?? randomInt(random, 2_000),
  }),
  inject({ target, how, downMs }, context) {
    const name = context.resolve(target);
    if (name === undefined) return;
    context.cluster.crash(name, how);
    context.until(downMs, () => context.restart(name));
  },
};
