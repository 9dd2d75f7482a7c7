/** Adds a member and starts it: the first steps of most changes. */
import type { SimMemberOptions } from '../cluster/sim-cluster.js';
import type { ChangeContext } from './change-type.js';

/** Virtual milliseconds that each call of an operator waits. @since 0.1.0 */
export const patienceMs = 4_000;

/**
 * Adds a member under a new name, on a machine of its own, which asks one or all of the others who they are.
 *
 * @returns its name; `undefined` when it was certainly not added
 * @since 0.1.0
 */
export async function startMember(
  context: ChangeContext,
  options: SimMemberOptions & { readonly by?: string | undefined },
): Promise<string | undefined> {
  const { cluster, freshName, restart } = context;
  const { by, ...how } = options;
  const name = freshName();
  const added = await addMember(context, name, how);
  if (!added) return undefined;
  cluster.addMachine(name);
  cluster.joins(name, by === undefined ? undefined : [by]);
  restart(name);
  return name;
}

/** @returns whether a member of that name may come @since 0.1.0 */
export async function addMember(
  context: ChangeContext,
  name: string,
  how: SimMemberOptions,
): Promise<boolean> {
  const { call, cluster, ledger } = context;
  const added = await call((members) => {
    return members.add(name, cluster.addressOf(name), { ...how, timeoutMs: patienceMs });
  });
  ledger.told.added(name, added);
  return added.kind !== 'rejected';
}
