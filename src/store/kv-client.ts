/**
 * The key-value interface that the embedded store offers, and that recipes are written against.
 */
import type { KeyValue } from './key-value.js';
import type { Txn } from './txn.js';
import type { Watch } from './watch.js';

/** A key or a value: text is taken as UTF-8. @since 0.1.0 */
export type Bytes = string | Uint8Array;

/** Options of every call. @since 0.1.0 */
export interface CallOptions {
  /** Aborts the call. Before the command was handed over it rejects with `signal.reason`; after
   * that with `ABORTED`, outcome `unknown`. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds before the call rejects with `TIMEOUT`; default 7,000. */
  readonly timeoutMs?: number | undefined;
}

/** @since 0.1.0 */
export interface PutOptions extends CallOptions {}

/** @since 0.1.0 */
export interface GetOptions extends CallOptions {
  /** Read as of this revision; default: the latest. */
  readonly revision?: number | undefined;
}

/**
 * Which keys: all with a `prefix` (`''` is every key), or from `from` (inclusive) to `to`
 * (exclusive; absent: no end). Exactly one of the two forms.
 *
 * @since 0.1.0
 */
export interface KeyRangeOptions {
  readonly prefix?: Bytes | undefined;
  readonly from?: Bytes | undefined;
  readonly to?: Bytes | undefined;
}

/** @since 0.1.0 */
export interface RangeOptions extends KeyRangeOptions, GetOptions {
  /** At most this many pairs, 1 or more; default all. */
  readonly limit?: number | undefined;
  /** Also count every match, which is a scan; default false. */
  readonly count?: boolean | undefined;
}

/** @since 0.1.0 */
export interface PutResponse {
  readonly revision: number;
  readonly previous?: KeyValue | undefined;
}

/** @since 0.1.0 */
export interface DeleteResponse {
  readonly revision: number;
  readonly deleted: number;
}

/** @since 0.1.0 */
export interface GetResponse {
  readonly kv: KeyValue | undefined;
  /** Current revision when the read ran: watch from the one after it to miss nothing. */
  readonly revision: number;
}

/** @since 0.1.0 */
export interface RangeResponse {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly revision: number;
  /** Present when asked for. */
  readonly count?: number | undefined;
}

/** What to watch: one key, or a range. @since 0.1.0 */
export type WatchTarget = Bytes | KeyRangeOptions;

/** @since 0.1.0 */
export interface WatchOptions {
  /** First revision to deliver; default: the one after the current. */
  readonly fromRevision?: number | undefined;
  /** Ends the watch: the iterator then throws `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Errors of every call: `ARGUMENT_INVALID`, `KEY_EMPTY`, `REQUEST_TOO_LARGE` before anything is
 * sent; `TIMEOUT`, `ABORTED`, `CLOSED`, `NO_LEADER`, `LEADER_CHANGED`, `OVERLOADED` after, on
 * writes with an `outcome`.
 *
 * @since 0.1.0
 */
export interface KvClient {
  /** Sets a key. */
  put(key: Bytes, value: Bytes, options?: PutOptions): Promise<PutResponse>;
  /** Reads a key, linearizably unless `revision` is given. */
  get(key: Bytes, options?: GetOptions): Promise<KeyValue | undefined>;
  /** Reads a key and the revision of the read, for get-then-watch. */
  getWithRevision(key: Bytes, options?: GetOptions): Promise<GetResponse>;
  /** Reads keys in ascending order. */
  range(options: RangeOptions): Promise<RangeResponse>;
  /** Deletes one key, or a range of keys in one revision. */
  delete(target: WatchTarget, options?: CallOptions): Promise<DeleteResponse>;
  /** Starts an immutable transaction builder. */
  txn(): Txn;
  /** Follows changes. Registers synchronously; never skips, never repeats (DESIGN §4.24). */
  watch(target: WatchTarget, options?: WatchOptions): Watch;
}
