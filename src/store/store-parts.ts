/**
 * What a store is made of.
 */
import type { Checksums } from '../backup/backup.js';
import type { Clock, Timers } from '../base/clock.js';
import type { Random } from '../base/prng.js';
import type { MemberId, Node, Tracing } from '../node/index.js';
import type { HistoryKeep } from './history-keep.js';
import type { LeasesParts } from './leases.js';
import type { StoreStateMachine } from './state-machine.js';

/** @since 0.1.0 */
export interface StoreParts extends Pick<LeasesParts, 'keepsLeases'> {
  readonly name: string;
  /** Opened with `machine` as its state machine; closed with the store. */
  readonly node: Node;
  readonly machine: StoreStateMachine;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Draws ids of leases. */
  readonly random: Random;
  /** Name of every member by id. */
  readonly memberNames: ReadonlyMap<MemberId, string>;
  /** Milliseconds before a call gives up; default 7,000. */
  readonly timeoutMs?: number;
  /** Milliseconds between two notes in the log of what a long lease has left; default 300,000. */
  readonly leaseCheckpointMs?: number;
  /** History that is not compacted by itself; default `'all'`. */
  readonly history?: HistoryKeep;
  /** What backups are protected with; default portable code. */
  readonly checksums?: Checksums | undefined;
  /** Where reads can be watched; default nowhere. */
  readonly tracing?: Tracing | undefined;
  /** Runs after the node is closed, to let go of what was opened around it. */
  readonly onClosed?: () => Promise<void>;
}
