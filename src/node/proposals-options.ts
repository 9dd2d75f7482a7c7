/**
 * What the proposals of a member are made with.
 */
import type { Clock } from '../base/clock.js';
import type { NodeMeter } from './metrics.js';
import type { NodeObserver } from './observer.js';
import type { SessionProtocol } from './state-machine.js';

/** @since 0.1.0 */
export interface ProposalsOptions {
  readonly clock: Clock;
  /** Names this incarnation of the proposer; from `sessionIdEnd` on. */
  readonly session: number;
  /** Milliseconds between calls of `sweep`. */
  readonly sweepMs: number;
  /** Told of every command. */
  readonly observer?: NodeObserver | undefined;
  /** Counts them. */
  readonly meter?: NodeMeter | undefined;
  /** Of the state machine; absent: every proposal is sent at most once. */
  readonly sessions?: SessionProtocol | undefined;
  /** Milliseconds after which a forwarded proposal counts as lost, twice as long each time. */
  readonly resendMs: number;
}
