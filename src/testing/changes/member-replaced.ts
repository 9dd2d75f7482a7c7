/** A member takes the place of another, in one joint step: the leader's, too. */
import { drawTarget } from '../faults/draw-target.js';
import type { FaultTarget } from '../faults/fault-type.js';
import type { ChangeType } from './change-type.js';
import { patienceMs, startMember } from './start-member.js';

/** @since 0.1.0 */
export interface MemberReplacedChange {
  readonly kind: 'member-replaced';
  readonly target: FaultTarget;
}

/** @since 0.1.0 */
export const memberReplacedChange: ChangeType<MemberReplacedChange> = {
  kind: 'member-replaced',
  draw: (random, members) => ({ kind: 'member-replaced', target: drawTarget(random, members) }),
  async make({ target }, context) {
    const { call, ledger, mayLeave, resolve, sleep } = context;
    const by = await startMember(context, { autoPromote: false });
    for (let left = 15; by !== undefined && left > 0 && !context.isOver; left -= 1) {
      await sleep(250);
      const name = resolve(target);
      if (name === undefined || name === by || !ledger.voters.includes(name)) continue;
      if (!mayLeave(name)) return;
      const [id, byId] = [ledger.idOf(name), ledger.idOf(by)];
      if (id === undefined || byId === undefined) continue;
      const done = await call((members) => members.replace(id, byId, { timeoutMs: patienceMs }));
      ledger.told.removed(id, done);
      ledger.told.promoted(byId, done);
      if (done.kind !== 'rejected' || done.code === 'MEMBER_UNKNOWN') return;
    }
  },
};
