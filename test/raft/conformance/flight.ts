/**
 * A message on its way: as the core made it, and what a scenario file shows of it. The core's union
 * has no fields that mean nothing, the files' have them all.
 */
import type { Entry, Message, Snapshot } from '../../../src/raft/index.js';

/** The two parts of a member that answer beside the other members. */
export type Thread = 'AppendThread' | 'ApplyThread';

export interface Flight {
  readonly message: Message;
  /** Of an answer of the append thread: the snapshot that was written. */
  readonly snapshot?: Snapshot;
  /** Of an answer of the apply thread: what was applied. */
  readonly entries?: readonly Entry[];
}

/** Stays within a member, and is never lost. */
export function isLocalFlight({ message }: Flight): boolean {
  return message.from === message.to;
}

const messageTypes: Readonly<Record<Message['kind'], string>> = {
  'append-request': 'MsgApp',
  'append-response': 'MsgAppResp',
  'heartbeat-request': 'MsgHeartbeat',
  'heartbeat-response': 'MsgHeartbeatResp',
  'vote-request': 'MsgVote',
  'vote-response': 'MsgVoteResp',
  'pre-vote-request': 'MsgPreVote',
  'pre-vote-response': 'MsgPreVoteResp',
  'snapshot-request': 'MsgSnap',
  'timeout-now': 'MsgTimeoutNow',
  'transfer-request': 'MsgTransferLeader',
  'propose-request': 'MsgProp',
  'read-request': 'MsgReadIndex',
  'read-response': 'MsgReadIndexResp',
  'storage-append-response': 'MsgStorageAppendResp',
  'storage-apply-response': 'MsgStorageApplyResp',
};

/** The name that files have for the kind of the message. */
export function typeOf({ message }: Flight): string {
  return messageTypes[message.kind];
}
