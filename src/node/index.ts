/**
 * `kontiki/node`: the driver that replicates any state machine, and the seams around it.
 *
 * @module
 */
export { type Clock, systemClock, systemTimers, type Timer, type Timers } from '../base/clock.js';
export type { Random } from '../base/prng.js';
export { SystemRandom } from '../base/system-random.js';
export type { Entry, MemberId, Role } from '../raft/types.js';
export type { CommandEntry, CommandMachine } from './command-machine.js';
export type { Env } from './env.js';
export type { NodeEvents } from './events.js';
export type { KnownPeer } from './known-peer.js';
export type { Leadership } from './leadership.js';
export { LeadershipStream } from './leadership-stream.js';
export type { RetentionLimits } from './log-retention.js';
export type { LogFields, Logger } from './logger.js';
export type { MemberEvents } from './member-events.js';
export { type AddedMember, type MemberCallOptions, Members } from './members.js';
export type { MemberStatus } from './membership.js';
export type { NodeMetrics } from './metrics.js';
export { Node } from './node.js';
export type { NodeOptions } from './node-options.js';
export type { NodeObserver, OpenedNode } from './observer.js';
export type { PeerMemory } from './peer-registry.js';
export type { StallFact } from './stalls.js';
export type {
  ApplyResult,
  RequestId,
  SessionProtocol,
  StateMachine,
  StateSnapshot,
} from './state-machine.js';
export type { NodeStatus } from './status.js';
export type { TraceChannel, Tracing } from './tracing.js';
export type { ProposalId, ProposeOptions } from './waiter.js';
