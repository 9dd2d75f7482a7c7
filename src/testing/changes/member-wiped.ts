/**
 * A member loses its data directory. Under its old id nobody may take it; then the operator removes that
 * id and adds the member again, at the same name and address, and it joins as a new one.
 */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from '../faults/draw-target.js';
import type { FaultTarget } from '../faults/fault-type.js';
import type { ChangeContext, ChangeType } from './change-type.js';
import { addMember, patienceMs } from './start-member.js';

/** @since 0.1.0 */
export interface MemberWipedChange {
  readonly kind: 'member-wiped';
  readonly target: FaultTarget;
  /** Virtual milliseconds for which it tries to come back as who it was; 0: it does not try. */
  readonly denyingMs: number;
}

/** @since 0.1.0 */
export const memberWipedChange: ChangeType<MemberWipedChange> = {
  kind: 'member-wiped',
  draw: (random, members) => ({
    kind: 'member-wiped',
    target: drawTarget(random, members),
    denyingMs: randomInt(random, 3) === 0 ? 0 : 200 + randomInt(random, 3_000),
  }),
  async make({ target, denyingMs }, context) {
    const { cluster, lost, resolve, restart, sleep } = context;
    const [damaged] = lost;
    const name = damaged ?? resolve(target);
    if (name === undefined || !context.claim(name)) return;
    if (damaged === undefined) {
      const mayGo = context.ledger.isMember(name) && context.mayDamage(name);
      if (!mayGo || !context.mayLeave(name)) return context.release(name);
      cluster.crash(name);
      cluster.machine(name).wipe();
      // The only founder would begin a group of its own: it knows of nobody who could tell it that it had one.
      if (cluster.founders.length === 1 && cluster.founders.includes(name)) cluster.joins(name);
      if (denyingMs > 0) restart(name);
      await sleep(denyingMs);
    }
    if (!context.isOver) await comeBack(name, context);
    context.release(name);
  },
};

/** As long as the old id is in the group its name is taken. */
async function comeBack(name: string, context: ChangeContext): Promise<void> {
  const { call, cluster, ledger, sleep } = context;
  const old = ledger.idOf(name);
  for (let left = 8; left > 0 && !context.isOver; left -= 1) {
    if (old !== undefined) {
      const gone = await call((members) => members.remove(old, { timeoutMs: patienceMs }));
      ledger.told.removed(old, gone);
      const isGone = gone.kind === 'ok' || ('code' in gone && gone.code === 'MEMBER_UNKNOWN');
      if (!isGone) {
        await sleep(500);
        continue;
      }
    }
    if (context.isOver || !(await addMember(context, name, {}))) return;
    context.renewed(name);
    // Somebody started it meanwhile, and it has joined.
    if (ledger.hasOpened(name)) return;
    cluster.crash(name);
    cluster.machine(name).wipe();
    cluster.joins(name);
    context.restart(name);
    return;
  }
}
