/**
 * `kontiki/node`: the driver that replicates any state machine, and the seams around it.
 *
 * @module
 */
export type { Entry, MemberId, Role } from '../raft/types.js';
export type { Env } from './env.js';
export type { NodeEvents } from './events.js';
export type { RetentionLimits } from './log-retention.js';
export { Node } from './node.js';
export type { NodeOptions } from './node-options.js';
export type { NodeObserver, OpenedNode } from './observer.js';
export type { PeerMemory } from './peer-registry.js';
export type { ProposalId, ProposeOptions } from './proposals.js';
export type { ApplyResult, RequestId, StateMachine, StateSnapshot } from './state-machine.js';
export type { NodeStatus } from './status.js';
