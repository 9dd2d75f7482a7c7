/**
 * The core of a node and what waits on it, made of what the node finds when it opens.
 */

import { randomId } from '../base/prng.js';
import { sessionIdEnd } from '../base/session-id.js';
import type { InitialState } from '../raft/log-reader.js';
import { RawNode } from '../raft/raw-node.js';
import type { Snapshot } from '../raft/types.js';
import { LeaseSetting } from './lease.js';
import { nodeLimits } from './node-limits.js';
import { checkTickMs, type NodeOptions } from './node-options.js';
import { Proposals } from './proposals.js';
import { Reads } from './reads.js';
import { recoveredLog } from './recovery.js';
import type { NodeTelemetry } from './telemetry.js';

/** @since 0.1.0 */
export interface NodeCore {
  readonly raft: RawNode;
  readonly leases: LeaseSetting;
  /** What the log starts with. */
  readonly initial: InitialState;
  readonly reads: Reads;
  readonly proposals: Proposals;
}

/**
 * @param options - of the node
 * @param found.appliedIndex - last entry in the state machine
 * @param found.telemetry - told of everything
 * @param found.latestSnapshot - see `RaftOptions`
 * @throws {KontikiError} WAL_CORRUPT, STATE_CORRUPT, OPTIONS_INVALID, CONFIGURATION_INVALID
 * @since 0.1.0
 */
export function nodeCore(
  options: NodeOptions,
  found: {
    readonly appliedIndex: number;
    readonly telemetry: NodeTelemetry;
    readonly latestSnapshot: () => Snapshot | undefined;
  },
): NodeCore {
  const { env, identity, log, stateMachine, tickMs = 100 } = options;
  const { heartbeatTicks = 1, electionTicks = 10 } = options;
  checkTickMs(tickMs);
  const { appliedIndex, latestSnapshot, telemetry: observer } = found;
  const { clock, random } = env;
  const reader = recoveredLog(log, appliedIndex);
  const leases = new LeaseSetting(stateMachine, tickMs);
  const raft = new RawNode({
    ...{ id: identity.memberId, reader, random, applied: appliedIndex, latestSnapshot },
    ...leases.options,
    ...{ heartbeatTicks, electionTicks, inflightBytesMax: nodeLimits.inflightBytesMax },
  });
  const session = sessionIdEnd + (randomId(random) % sessionIdEnd);
  const { sessions } = stateMachine;
  const reads = new Reads(random, observer);
  const proposals = new Proposals({
    ...{ clock, session, sweepMs: tickMs, observer, meter: observer.meter },
    ...{ sessions, resendMs: tickMs * electionTicks },
  });
  return { raft, leases, initial: reader.initialState(), reads, proposals };
}
