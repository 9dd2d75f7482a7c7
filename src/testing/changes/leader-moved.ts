/** Leadership is handed over under load. */
import { drawTarget } from '../faults/draw-target.js';
import type { FaultTarget } from '../faults/fault-type.js';
import type { ChangeType } from './change-type.js';

/** @since 0.1.0 */
export interface LeaderMovedChange {
  readonly kind: 'leader-moved';
  /** Who is to lead. */
  readonly target: FaultTarget;
}

/** @since 0.1.0 */
export const leaderMovedChange: ChangeType<LeaderMovedChange> = {
  kind: 'leader-moved',
  draw: (random, members) => ({ kind: 'leader-moved', target: drawTarget(random, members) }),
  async make({ target }, { call, resolve }) {
    const name = resolve(target);
    if (name === undefined) return;
    await call((members) => members.transferLeadership(name, { timeoutMs: 1_000 }));
  },
};
