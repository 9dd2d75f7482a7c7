/**
 * What a store counts beside its node: gauges, taken when somebody asks. docs/api/metrics.md explains
 * each name.
 */
import type { NodeMetrics } from '../node/index.js';
import type { StoreStateMachine } from './state-machine.js';

/** @since 0.1.0 */
export interface StoreMetrics extends NodeMetrics {
  /** Newest revision, and the oldest one that can be read. */
  readonly revision: number;
  readonly compactRevision: number;
  /** Compactions applied here since the store was opened. */
  readonly compactions: number;
  /** Watches that are open. */
  readonly watchers: number;
  /** What they hold that nobody took yet: events, and bytes of their revisions. */
  readonly watchEventsHeld: number;
  readonly watchBytesHeld: number;
  /** Revisions from the first one that the slowest watcher has not got to the newest. */
  readonly watchLagRevisions: number;
  /** Alarms that are raised. */
  readonly alarms: number;
  /** Leases that exist. */
  readonly leases: number;
  /** Entries of which the state is not durable yet. */
  readonly entriesNotDurable: number;
}

/**
 * @param node - of the node
 * @param machine - of the store
 * @since 0.1.0
 */
export function storeMetrics(node: NodeMetrics, machine: StoreStateMachine): StoreMetrics {
  const { hub, keyspace } = machine;
  let leases = 0;
  for (const _ of keyspace.leases()) leases += 1;
  const { events, bytes } = hub.held;
  return {
    ...node,
    revision: keyspace.revision,
    compactRevision: keyspace.compactRevision,
    compactions: machine.compactions,
    watchers: hub.size,
    watchEventsHeld: events,
    watchBytesHeld: bytes,
    watchLagRevisions: hub.lagMax,
    alarms: keyspace.alarms.list().length,
    leases,
    entriesNotDurable: Math.max(0, machine.appliedIndex - machine.durableIndex),
  };
}
