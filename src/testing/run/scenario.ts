/**
 * A run as a value: everything that decides what happens in it. Equal scenarios, with equal code, give
 * equal runs; a scenario can be written to a file, and made smaller (reliability plan §7.5).
 */
import type { StoreTuning } from '../../assembly/store-config.js';
import type { Change } from '../changes/change.js';
import type { Fault } from '../faults/fault.js';
import type { PathOptions } from '../sim-path.js';
import type { CallWeights } from '../workload/call-weights.js';

/** A fault and its time. @since 0.1.0 */
export interface ScheduledFault {
  /** Virtual milliseconds after the members have started. */
  readonly atMs: number;
  readonly fault: Fault;
}

/** A change of the membership and its time. @since 0.1.0 */
export interface ScheduledChange {
  /** Virtual milliseconds after the members have started. */
  readonly atMs: number;
  readonly change: Change;
}

/** @since 0.1.0 */
export interface Scenario {
  /** Decides all that is left to chance; any safe integer. */
  readonly seed: number;
  /** How many members found the group, all voters; 1 to 7. */
  readonly members: number;
  /** Virtual milliseconds with faults. Then all is healed, and the group owes liveness. */
  readonly durationMs: number;
  /** In order of time. */
  readonly faults: readonly ScheduledFault[];
  /** In order of time; default none: the group stays as it was founded. */
  readonly changes?: readonly ScheduledChange[] | undefined;
  /** Clients that call, one call at a time each. */
  readonly clients: number;
  /** Milliseconds a client pauses between two calls, at most. */
  readonly pauseMs: number;
  /** Distinct keys they use. */
  readonly keys: number;
  /** Network between faults. */
  readonly path?: Partial<PathOptions> | undefined;
  /** Small sizes, so that a short run reaches what takes days in production. */
  readonly tuning?: StoreTuning | undefined;
  /** What clients do: calls of every kind on few keys, or locks and elections; default `calls`. */
  readonly load?: 'calls' | 'locks' | undefined;
  /** Milliseconds per tick of each member; default 100. */
  readonly tickMs?: number | undefined;
  /** In which proportions clients of a store make which calls; default: see {@link CallWeights}. */
  readonly calls?: CallWeights | undefined;
  /** Milliseconds before a call of a client of a store gives up; default: each client has its own. */
  readonly timeoutMs?: number | undefined;
  /** How many times to live, in seconds, clients of a store choose from; default 8. */
  readonly leaseSeconds?: number | undefined;
  /** Average milliseconds between two backups of a store; default none is taken. */
  readonly backupEveryMs?: number | undefined;
  /** Readers of watches of a store; default: as many as clients. */
  readonly watchers?: number | undefined;
}
