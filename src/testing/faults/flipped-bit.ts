/**
 * One bit of a file that turns: the member must notice, and neither serve nor vote with it (Jepsen's
 * NATS report of 2025 tells of one that did).
 */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface FlippedBitFault {
  readonly kind: 'flipped-bit';
  readonly target: FaultTarget;
  /** Virtual milliseconds for which the member is down when it happens. */
  readonly downMs: number;
}

/** @since 0.1.0 */
export const flippedBitFault: FaultType<FlippedBitFault> = {
  kind: 'flipped-bit',
  draw: (random, members) => ({
    kind: 'flipped-bit',
    target: drawTarget(random, members),
    downMs: randomInt(random, 1_000),
  }),
  inject({ target, downMs }, { cluster, resolve, random, mayDamage, until, restart }) {
    const name = resolve(target);
    if (name === undefined || !mayDamage(name)) return;
    const { disk } = cluster.machine(name);
    cluster.crash(name, 'process');
    const files = [...disk.names.files()].filter(([, file]) => file.size > 0);
    const [path, file] = files[randomInt(random, Math.max(1, files.length))] ?? [];
    if (path !== undefined && file !== undefined) {
      disk.flipBit(path, { offset: randomInt(random, file.size), bit: randomInt(random, 8) });
    }
    until(downMs, () => restart(name));
  },
};
