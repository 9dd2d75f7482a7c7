/**
 * How a group begins, and with what each member starts: members that come later, too.
 *
 * `fixed`: everybody knows the founders as the configuration before the first entry. `snapshot`: the
 * founders begin behind a snapshot, everybody else with nothing. `bootstrap`: the founders begin with
 * entries that add them, everybody else with nothing (semantics §18).
 */
import type { MemberId } from '../../../src/raft/index.js';
import { emptyState, type MachineState } from '../../../src/testing/bare/hash-machine.js';
import { MemberStore } from '../member-store.js';

export type Founding = 'fixed' | 'snapshot' | 'bootstrap';

/** Where a group that begins with a snapshot has it. */
const snapshotAt = { index: 7, term: 1 };

/** What the founders' state machines hold at first. */
export function foundersState(founding: Founding, founders: readonly MemberId[]): MachineState {
  const state = emptyState(founding === 'bootstrap' ? {} : { voters: founders });
  return founding === 'snapshot' ? { ...state, ...snapshotAt, chain: 42 } : state;
}

export function startingPoint(
  founding: Founding,
  founders: readonly MemberId[],
  id: MemberId,
): { readonly store: MemberStore; readonly state: MachineState } {
  const founder = founders.includes(id);
  const state = founder || founding === 'fixed' ? foundersState(founding, founders) : emptyState();
  const store =
    founder && founding === 'snapshot' ? MemberStore.behind(snapshotAt) : new MemberStore([]);
  return { store, state };
}
