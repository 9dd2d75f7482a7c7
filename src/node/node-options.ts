/**
 * What a node is made of.
 */
import { timerMsMax } from '../base/clock.js';
import { kontikiError } from '../base/errors.js';
import type { MemberInfo } from '../codec/member-codec.js';
import type { LogStore } from '../storage/log-store.js';
import type { SnapshotStore } from '../storage/snapshot-store.js';
import type { MemberIdentity } from '../transport/transport.js';
import type { Env } from './env.js';
import type { RetentionLimits } from './log-retention.js';
import type { NodeMeter } from './metrics.js';
import type { PeerMemory } from './peer-registry.js';
import type { StateMachine } from './state-machine.js';

/** @since 0.1.0 */
export interface JoiningInfo {
  /** Who joins must name it: keeps groups apart. */
  readonly token: string;
  /** The members the group was started with, as they were then: the log goes on from there. */
  readonly founders: readonly MemberInfo[];
}

/** @since 0.1.0 */
export interface NodeOptions {
  readonly env: Pick<
    Env,
    'clock' | 'timers' | 'random' | 'transport' | 'observer' | 'tracing' | 'logger'
  >;
  /** Counts from before it was opened on, if given. */
  readonly meter?: NodeMeter | undefined;
  readonly identity: MemberIdentity;
  /** Opened; the node closes it. */
  readonly log: LogStore;
  /** Not opened yet; the node opens and closes it. */
  readonly stateMachine: StateMachine;
  /** What one that wants to join is told, besides who the members are; default: nobody can join. */
  readonly joining?: JoiningInfo | undefined;
  /** Where the peers' directories are remembered. */
  readonly peerMemory: PeerMemory;
  /**
   * Where snapshots are kept; opened, the node closes it. Without it, or with a state machine that has
   * no `snapshot` and `restore`, the log is never truncated, and no member can fall behind it.
   */
  readonly snapshots?: SnapshotStore | undefined;
  /** How much of the log is kept for members that are behind; default: see `limits`. */
  readonly retention?: RetentionLimits | undefined;
  /**
   * How fast snapshots are sent to members that need one, all together, in bytes; default
   * `limits.snapshotBytesPerSecond`, at least a chunk.
   */
  readonly snapshotBytesPerSecond?: number | undefined;
  /** Bytes of one chunk of them; default `limits.snapshotChunkBytes`, which is the most. */
  readonly snapshotChunkBytes?: number | undefined;
  /** Milliseconds per tick, at least 1; default 100. */
  readonly tickMs?: number;
  /** Ticks between heartbeats; default 1. */
  readonly heartbeatTicks?: number;
  /** Ticks without a leader before an election; default 10. */
  readonly electionTicks?: number;
}

/**
 * Deadlines are kept in buckets of one tick: a tiny one would keep a sweep busy for ever.
 *
 * @throws {KontikiError} OPTIONS_INVALID
 * @since 0.1.0
 */
export function checkTickMs(tickMs: number): void {
  if (tickMs >= 1 && tickMs <= timerMsMax) return;
  const message = `node: expected tickMs to be a number of at least 1, got ${tickMs}`;
  throw kontikiError('OPTIONS_INVALID', message);
}
