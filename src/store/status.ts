/**
 * A read-only view of one member of a store.
 */
import type { MemberId, NodeStatus } from '../node/index.js';
import { type LocalStatus, localStatusOf } from '../node/local-status.js';

/** @since 0.1.0 */
export interface StoreStatus extends LocalStatus {
  /** Revision of the local keyspace. */
  readonly revision: number;
}

/** @since 0.1.0 */
export function statusOf(
  parts: { readonly name: string; readonly memberNames: ReadonlyMap<MemberId, string> },
  machine: {
    readonly keyspace: { readonly revision: number };
    readonly appliedIndex: number;
  },
  node: NodeStatus,
): StoreStatus {
  return {
    ...localStatusOf(parts.name, parts.memberNames, node),
    // The keyspace runs ahead of the node inside of a batch.
    appliedIndex: machine.appliedIndex,
    revision: machine.keyspace.revision,
  };
}
