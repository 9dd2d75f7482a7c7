/**
 * A read-only view of one member of a store.
 */
import type { MemberId, NodeStatus } from '../node/index.js';
import { type LocalStatus, localStatusOf } from '../node/local-status.js';
import type { StoreAlarm } from './alarms.js';

/** @since 0.1.0 */
export interface StoreStatus extends LocalStatus {
  /** Revision of the local keyspace. */
  readonly revision: number;
  /** Raised alarms, as of the last entry applied here; a member that one of them means answers nobody. */
  readonly alarms: readonly StoreAlarm[];
}

/** @since 0.1.0 */
export function statusOf(
  parts: { readonly name: string; readonly memberNames: ReadonlyMap<MemberId, string> },
  machine: {
    readonly keyspace: { readonly revision: number };
    readonly appliedIndex: number;
  },
  node: NodeStatus,
  alarms: readonly StoreAlarm[],
): StoreStatus {
  return {
    ...localStatusOf(parts.name, parts.memberNames, node),
    // The keyspace runs ahead of the node inside of a batch.
    appliedIndex: machine.appliedIndex,
    revision: machine.keyspace.revision,
    alarms,
  };
}
