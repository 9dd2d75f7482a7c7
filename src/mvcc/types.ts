/**
 * The keyspace's data: what a key holds, what happened to it, what can be asked and ordered.
 * Keys are binary strings here; the public faces of these types are in `store/`.
 */
import type { BinaryString } from '../base/bytes.js';

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
}

/** @since 0.1.0 */
export interface DeleteOperation {
  readonly op: 'delete';
  readonly keys: KeySelection;
}

/** @since 0.1.0 */
export interface RangeOperation {
  readonly op: 'range';
  readonly keys: KeySelection;
  /** At most this many; absent: all. */
  readonly limit?: number | undefined;
  /** Count every match too. */
  readonly count?: boolean | undefined;
  /** Read at this revision; absent: at the latest. */
  readonly revision?: number | undefined;
}

/** @since 0.1.0 */
export type Operation = PutOperation | DeleteOperation | RangeOperation;

/** Relation a compare demands between the key's field and its operand. @since 0.1.0 */
export type CompareResult = 'equal' | 'greater' | 'less' | 'not-equal';

/**
 * A condition on the state before a transaction. A missing key counts as version, create and mod
 * revision 0 and lease 0; a value compare on a missing key is false.
 *
 * @since 0.1.0
 */
export type Compare = {
  readonly key: BinaryString;
  readonly result: CompareResult;
} & (
  | { readonly target: 'version' | 'create-revision' | 'mod-revision'; readonly operand: number }
  | { readonly target: 'value'; readonly operand: Uint8Array }
  | { readonly target: 'lease'; readonly operand: bigint }
);

/** @since 0.1.0 */
export interface TxnCommand {
  readonly op: 'txn';
  readonly compares: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

/** What an entry of the log can order the keyspace to do. @since 0.1.0 */
export type Command = PutOperation | DeleteOperation | TxnCommand;

/** @since 0.1.0 */
export interface PutResult {
  readonly op: 'put';
  readonly revision: number;
  /** The version before, when there was one. */
  readonly previous?: KeyVersion | undefined;
}

/** @since 0.1.0 */
export interface DeleteResult {
  readonly op: 'delete';
  /** Of this delete, or the current one when nothing was deleted. */
  readonly revision: number;
  readonly deleted: number;
}

/** @since 0.1.0 */
export interface RangeResult {
  readonly op: 'range';
  /** Current revision when the read ran, not the revision asked for. */
  readonly revision: number;
  /** In ascending key order. */
  readonly kvs: readonly KeyVersion[];
  /** Whether the limit cut matches off. */
  readonly more: boolean;
  /** All matches, whatever the limit; present when asked for. */
  readonly count?: number | undefined;
}

/** @since 0.1.0 */
export interface TxnResult {
  readonly op: 'txn';
  readonly succeeded: boolean;
  readonly revision: number;
  /** One per operation of the branch that ran. */
  readonly results: readonly (PutResult | DeleteResult | RangeResult)[];
}

/** @since 0.1.0 */
export type CommandResult = PutResult | DeleteResult | TxnResult;
