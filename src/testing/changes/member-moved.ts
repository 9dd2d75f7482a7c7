/** A member gets another address: it stops, the others are told, it starts there. */
import { drawTarget } from '../faults/draw-target.js';
import type { FaultTarget } from '../faults/fault-type.js';
import type { ChangeType } from './change-type.js';
import { patienceMs } from './start-member.js';

/** @since 0.1.0 */
export interface MemberMovedChange {
  readonly kind: 'member-moved';
  readonly target: FaultTarget;
}

/** @since 0.1.0 */
export const memberMovedChange: ChangeType<MemberMovedChange> = {
  kind: 'member-moved',
  draw: (random, members) => ({ kind: 'member-moved', target: drawTarget(random, members) }),
  async make({ target }, { call, cluster, ledger, resolve, restart }) {
    const name = resolve(target);
    const id = name === undefined ? undefined : ledger.idOf(name);
    if (name === undefined || id === undefined) return;
    const { network } = cluster.sim;
    const before = network.hostOf(name);
    const host = `${name}-${cluster.machine(name).boots}`;
    const address = `${host}:1`;
    cluster.crash(name, 'process');
    const moved = await call((members) => members.update(id, address, { timeoutMs: patienceMs }));
    ledger.told.moved(id, address, moved);
    network.move(name, moved.kind === 'rejected' ? before : host);
    restart(name);
  },
};
