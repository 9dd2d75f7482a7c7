/**
 * The key-value interface that the embedded store offers, and that recipes are written against.
 */
import type { KeyValue } from './key-value.js';
import type { Lease } from './lease.js';
import type { LeaseOptions } from './leases.js';
import type { Scan } from './scan.js';
import type { Txn } from './txn.js';
import type { Watch } from './watch.js';

/**
 * A key or a value: text is taken as UTF-8. A key of text that is not well formed is refused: half of a
 * surrogate pair has no bytes of its own.
 *
 * @since 0.1.0
 */
export type Bytes = string | Uint8Array;

/** Options of every call. @since 0.1.0 */
export interface CallOptions {
  /** Aborts the call. Before the command was handed over it rejects with `signal.reason`; after
   * that with `ABORTED`, outcome `unknown`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds before the call rejects with `TIMEOUT`; default 7,000. A write does up to two ticks of the
   * member later (`tickMs`, 100 by default), never earlier.
   */
  readonly timeoutMs?: number | undefined;
}

/**
 * The lease of a put, and what it can keep or tell of the version before. To keep something the key
 * must exist, else `KEY_NOT_FOUND`.
 *
 * @since 0.1.0
 */
export interface PutKeepOptions {
  /** Keep the value: only a revision and a version more. The value given must be empty. */
  readonly ignoreValue?: boolean | undefined;
  /** Lease to attach the key to, else `LEASE_NOT_FOUND`; default: none, which detaches it. */
  readonly lease?: bigint | undefined;
  /** Stay attached to the lease the key is attached to. */
  readonly ignoreLease?: boolean | undefined;
  /**
   * Answer with the version before; default false. It is kept for a while, in case the put is sent again,
   * which every member pays for.
   */
  readonly previous?: boolean | undefined;
}

/** @since 0.1.0 */
export interface PutOptions extends CallOptions, PutKeepOptions {}

/** @since 0.1.0 */
export interface DeleteOptions extends CallOptions {
  /** Answer with what was deleted; default false. */
  readonly previous?: boolean | undefined;
}

/** @since 0.1.0 */
export interface GetOptions extends CallOptions {
  /** Read as of this revision; default: the latest. */
  readonly revision?: number | undefined;
  /** Read what this member has, which may be of the past, without asking others; default false. */
  readonly serializable?: boolean | undefined;
  /** With `serializable`: wait until this member has this revision, within the timeout. */
  readonly minRevision?: number | undefined;
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

/** In which order a range answers. Keys that are equal in it come in ascending key order. @since 0.1.0 */
export interface RangeOrderOptions {
  /** Default `key`. Any other reads and sorts all matches before the limit applies. */
  readonly sortBy?: 'key' | 'version' | 'createRevision' | 'modRevision' | 'value' | undefined;
  /** Default `ascend`. */
  readonly order?: 'ascend' | 'descend' | undefined;
}

/** What a range selects and answers with. @since 0.1.0 */
export interface RangeQueryOptions extends KeyRangeOptions, RangeOrderOptions {
  /** Read as of this revision; default: the latest. */
  readonly revision?: number | undefined;
  /** At most this many pairs, 1 or more; default all. */
  readonly limit?: number | undefined;
  /**
   * Also count every selected key, whatever limit and bounds; default false. Of past revisions, and the first
   * time of current keys, that is a scan (docs/adr/0011-counting.md).
   */
  readonly count?: boolean | undefined;
  /** Only count, and answer with no pairs; default false. */
  readonly countOnly?: boolean | undefined;
  /** Answer with empty values; default false. */
  readonly keysOnly?: boolean | undefined;
  /** Only pairs last written at this revision or later; before order and limit. */
  readonly minModRevision?: number | undefined;
  /** Only pairs last written at this revision or earlier. */
  readonly maxModRevision?: number | undefined;
  /** Only pairs created at this revision or later. */
  readonly minCreateRevision?: number | undefined;
  /** Only pairs created at this revision or earlier. */
  readonly maxCreateRevision?: number | undefined;
}

/** @since 0.1.0 */
export interface RangeOptions extends RangeQueryOptions, GetOptions {}

/** `timeoutMs` is that of each page. @since 0.1.0 */
export interface ScanOptions extends KeyRangeOptions, GetOptions {
  /** Deliver empty values; default false. */
  readonly keysOnly?: boolean | undefined;
  /** Most pairs read at a time, 1 to 1,000; default: as many as make about 1 MiB. */
  readonly pageSize?: number | undefined;
}

/** @since 0.1.0 */
export interface PutResponse {
  readonly revision: number;
  /** The version before; present when asked for and there was one. */
  readonly previous?: KeyValue | undefined;
  /** The write was sent again, and its answer too long to be kept: `previous` is left out. */
  readonly partial?: boolean | undefined;
}

/** @since 0.1.0 */
export interface DeleteResponse {
  readonly revision: number;
  readonly deleted: number;
  /** What was deleted, in key order; present when asked for. */
  readonly previous?: readonly KeyValue[] | undefined;
  /** The write was sent again, and its answer too long to be kept: `previous` is left out. */
  readonly partial?: boolean | undefined;
}

/** @since 0.1.0 */
export interface CompactResponse {
  /** The current one, which a compaction does not change. */
  readonly revision: number;
  /** The oldest revision that can be read from now on. */
  readonly compactRevision: number;
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
  /** Leaves puts out; default false. */
  readonly noPut?: boolean | undefined;
  /** Leaves deletes out; default false. */
  readonly noDelete?: boolean | undefined;
  /** `false`: events come without the version before, which spares reads; default true. */
  readonly previous?: boolean | undefined;
  /**
   * Lets a revision that is read in several slices, of 512 changes at most and of fewer where values are
   * large, come in as many batches, all but the last marked `fragment`; default false: it comes whole,
   * however large.
   */
  readonly fragment?: boolean | undefined;
  /**
   * Every so many milliseconds without an event a bookmark comes: a batch without events that says
   * up to which revision everything was delivered. Default: none.
   */
  readonly progressMs?: number | undefined;
  /** Ends the watch: the iterator then throws `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Errors of every call: `ARGUMENT_INVALID`, `KEY_EMPTY`, `REQUEST_TOO_LARGE` before anything is
 * sent; `TIMEOUT`, `ABORTED`, `CLOSED`, `NO_LEADER`, `OVERLOADED`, `SESSION_EXPIRED` after, on writes
 * with an `outcome`. A write is sent again by itself within its timeout, when the leader changed or it
 * or its answer may be lost, and takes effect at most once.
 *
 * @since 0.1.0
 */
export interface KvClient {
  /** Sets a key. */
  put(key: Bytes, value: Bytes, options?: PutOptions): Promise<PutResponse>;
  /** Reads a key, linearizably unless `revision` or `serializable` is given. */
  get(key: Bytes, options?: GetOptions): Promise<KeyValue | undefined>;
  /** Reads a key and the revision of the read, for get-then-watch. */
  getWithRevision(key: Bytes, options?: GetOptions): Promise<GetResponse>;
  /** Reads keys, in ascending order unless another is asked for. */
  range(options: RangeOptions): Promise<RangeResponse>;
  /** Reads any number of keys in ascending order, page by page, all at one revision. */
  scan(options: ScanOptions): Scan;
  /** Deletes one key, or a range of keys in one revision. */
  delete(target: WatchTarget, options?: DeleteOptions): Promise<DeleteResponse>;
  /**
   * Gives up what was before `revision`: older revisions cannot be read or watched from any more.
   * Rejects with `COMPACTED` when that has happened already, `FUTURE_REVISION` when it is not there.
   */
  compact(revision: number, options?: CallOptions): Promise<CompactResponse>;
  /** Starts an immutable transaction builder. */
  txn(): Txn;
  /** Follows changes. Registers synchronously; never skips, never repeats (DESIGN §4.24). */
  watch(target: WatchTarget, options?: WatchOptions): Watch;
  /** Grants a lease of so many seconds: keys put with its id end with it. */
  lease(ttlSeconds: number, options?: LeaseOptions): Promise<Lease>;
}
