/** A member goes for good: the leader, too, or one that is down. */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from '../faults/draw-target.js';
import type { FaultTarget } from '../faults/fault-type.js';
import type { ChangeType } from './change-type.js';
import { patienceMs } from './start-member.js';

/** @since 0.1.0 */
export interface MemberRemovedChange {
  readonly kind: 'member-removed';
  readonly target: FaultTarget;
  /** Whether a group of two becomes one of one. */
  readonly evenOfTwo: boolean;
}

/** @since 0.1.0 */
export const memberRemovedChange: ChangeType<MemberRemovedChange> = {
  kind: 'member-removed',
  draw: (random, members) => ({
    kind: 'member-removed',
    target: drawTarget(random, members),
    evenOfTwo: randomInt(random, 4) === 0,
  }),
  async make({ target, evenOfTwo }, { call, ledger, mayLeave, resolve }) {
    const name = resolve(target);
    const id = name === undefined ? undefined : ledger.idOf(name);
    if (name === undefined || id === undefined) return;
    const { voters } = ledger;
    const isVoter = voters.includes(name);
    if (isVoter && voters.length <= (evenOfTwo ? 1 : 2)) return;
    if (isVoter && !mayLeave(name)) return;
    const gone = await call((members) => members.remove(id, { timeoutMs: patienceMs }));
    ledger.told.removed(id, gone);
  },
};
