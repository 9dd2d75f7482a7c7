/**
 * The keyspace's data: what a key holds, what happened to it, what can be asked and ordered.
 * Keys are binary strings here; the public faces of these types are in `store/`.
 */
import type { BinaryString } from '../base/bytes.js';
import type { AlarmCommand, AlarmResult } from './alarm-types.js';
import type { LeaseCommand, LeaseResult } from './lease-types.js';
import type { SessionOpenCommand, SessionOpenResult } from './session-types.js';

/** One version of a key. @since 0.1.0 */
export interface KeyVersion {
  readonly key: BinaryString;
  readonly value: Uint8Array;
  /** Revision of the put that began this generation of the key. */
  readonly createRevision: number;
  /** Revision of the put that wrote this version. */
  readonly modRevision: number;
  /** 1 for the first put of a generation, one more for each further put. */
  readonly version: number;
  /** Lease the key is attached to; any int64; `undefined` for none. */
  readonly lease?: bigint | undefined;
}

/** One change of one key. @since 0.1.0 */
export interface KeyEvent {
  readonly type: 'put' | 'delete';
  readonly key: BinaryString;
  /** Main revision; all changes of one command share it. */
  readonly revision: number;
  /** Position of the change inside its revision, from 0. */
  readonly sub: number;
  /** The version put; absent for a delete. */
  readonly current?: KeyVersion;
  /** The version before; absent for a creation, or when it is compacted. */
  readonly previous?: KeyVersion;
}

/**
 * Keys from `gte` (inclusive) to `lt` (exclusive; absent: no end). A single key k is written
 * `{ gte: k, lt: k + '\0' }`.
 *
 * @since 0.1.0
 */
export interface KeySelection {
  readonly gte: BinaryString;
  readonly lt?: BinaryString | undefined;
}

/** @since 0.1.0 */
export interface PutOperation {
  readonly op: 'put';
  readonly key: BinaryString;
  readonly value: Uint8Array;
  readonly lease?: bigint | undefined;
  /** Keep the value there is; then `value` is empty, and the key must exist. */
  readonly ignoreValue?: boolean | undefined;
  /** Keep the lease there is; then `lease` is absent, and the key must exist. */
  readonly ignoreLease?: boolean | undefined;
  /** Answer with the version before. */
  readonly previous?: boolean | undefined;
}

/** @since 0.1.0 */
export interface DeleteOperation {
  readonly op: 'delete';
  readonly keys: KeySelection;
  /** Answer with what was deleted. */
  readonly previous?: boolean | undefined;
}

/** What a range can be sorted by. @since 0.1.0 */
export type SortTarget = 'key' | 'version' | 'create-revision' | 'mod-revision' | 'value';

/** An order of a range; keys that are equal in it come in ascending key order. @since 0.1.0 */
export interface RangeSort {
  readonly target: SortTarget;
  readonly order: 'ascend' | 'descend';
}

/** @since 0.1.0 */
export interface RangeOperation {
  readonly op: 'range';
  readonly keys: KeySelection;
  /** At most this many; absent: all. */
  readonly limit?: number | undefined;
  /** Count every match too, whatever the limit and the bounds of revisions. */
  readonly count?: boolean | undefined;
  /** Read at this revision; absent: at the latest. */
  readonly revision?: number | undefined;
  /** Nothing but the count. */
  readonly countOnly?: boolean | undefined;
  /** Answer with empty values. */
  readonly keysOnly?: boolean | undefined;
  /** Absent: ascending by key. */
  readonly sort?: RangeSort | undefined;
  /** Inclusive bounds, applied before sort and limit. */
  readonly minModRevision?: number | undefined;
  readonly maxModRevision?: number | undefined;
  readonly minCreateRevision?: number | undefined;
  readonly maxCreateRevision?: number | undefined;
}

/** Relation a compare demands between the key's field and its operand. @since 0.1.0 */
export type CompareResult = 'equal' | 'greater' | 'less' | 'not-equal';

/**
 * A condition on the state before a transaction. Every selected key must meet it; when there is none,
 * it is asked of a key of version, create and mod revision 0 and lease 0, and a value compare is
 * false.
 *
 * @since 0.1.0
 */
export type Compare = {
  readonly keys: KeySelection;
  readonly result: CompareResult;
} & (
  | { readonly target: 'version' | 'create-revision' | 'mod-revision'; readonly operand: number }
  | { readonly target: 'value'; readonly operand: Uint8Array }
  | { readonly target: 'lease'; readonly operand: bigint }
);

/**
 * If all compares hold, the operations of `success`, else those of `failure`. A transaction among
 * them chooses its branch by the state before the whole, too.
 *
 * @since 0.1.0
 */
export interface TxnCommand {
  readonly op: 'txn';
  readonly compares: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

/** What a transaction can do. @since 0.1.0 */
export type Operation = PutOperation | DeleteOperation | RangeOperation | TxnCommand;

/** Gives up what was before `revision`. @since 0.1.0 */
export interface CompactCommand {
  readonly op: 'compact';
  /** The oldest revision that can be read afterwards. */
  readonly revision: number;
}

/**
 * Sets how long a leader may answer reads without asking the others (DESIGN §4.18). The keyspace only
 * keeps it: it belongs to the group, so it travels and is stored with the group's data.
 *
 * @since 0.1.0
 */
export interface ReadLeaseCommand {
  readonly op: 'read-lease';
  /** Milliseconds, up to 2^32-1; 0 for never. The first length a group is given is its only one. */
  readonly leaseMs: number;
}

/** What an entry of the log can order the keyspace to do. @since 0.1.0 */
export type Command =
  | PutOperation
  | DeleteOperation
  | TxnCommand
  | CompactCommand
  | ReadLeaseCommand
  | LeaseCommand
  | SessionOpenCommand
  | AlarmCommand;

/** @since 0.1.0 */
export interface PutResult {
  readonly op: 'put';
  readonly revision: number;
  /** The version before; present when asked for, `undefined` when there was none. */
  readonly previous?: KeyVersion | undefined;
  /** Kept for a request that came again, and too long for that: what holds versions is left out. */
  readonly partial?: boolean | undefined;
}

/** @since 0.1.0 */
export interface DeleteResult {
  readonly op: 'delete';
  /** Of this delete, or the current one when nothing was deleted. */
  readonly revision: number;
  readonly deleted: number;
  /** What was deleted, in key order; present when asked for. */
  readonly previous?: readonly KeyVersion[] | undefined;
  /** Kept for a request that came again, and too long for that: what holds versions is left out. */
  readonly partial?: boolean | undefined;
}

/** @since 0.1.0 */
export interface RangeResult {
  readonly op: 'range';
  /** Current revision when the read ran, not the revision asked for. */
  readonly revision: number;
  readonly kvs: readonly KeyVersion[];
  /** Whether the limit cut matches off. */
  readonly more: boolean;
  /** Selected keys, whatever limit and bounds; present when asked for. */
  readonly count?: number | undefined;
}

/** @since 0.1.0 */
export interface TxnResult {
  readonly op: 'txn';
  readonly succeeded: boolean;
  readonly revision: number;
  /** One per operation of the branch that ran. */
  readonly results: readonly OperationResult[];
  /** Kept for a request that came again, and too long for that: what holds versions is left out. */
  readonly partial?: boolean | undefined;
}

/** @since 0.1.0 */
export type OperationResult = PutResult | DeleteResult | RangeResult | TxnResult;

/** @since 0.1.0 */
export interface CompactResult {
  readonly op: 'compact';
  /** The current one, which a compaction does not change. */
  readonly revision: number;
  readonly compactRevision: number;
}

/** @since 0.1.0 */
export interface ReadLeaseResult {
  readonly op: 'read-lease';
  /** The current one, which a setting does not change. */
  readonly revision: number;
  readonly readLease: ReadLease;
}

/** The setting of lease reads. @since 0.1.0 */
export interface ReadLease {
  /** Milliseconds; 0 for never. */
  readonly leaseMs: number;
  /** What it is or was: a member that restarts may have pledged as much. 0: never set. */
  readonly everMs: number;
}

/** @since 0.1.0 */
export type CommandResult =
  | PutResult
  | DeleteResult
  | TxnResult
  | CompactResult
  | ReadLeaseResult
  | LeaseResult
  | SessionOpenResult
  | AlarmResult;
