/**
 * A lease as its holder has it: keys put with its id live as long as it is kept alive.
 */
import { type Clock, type Timer, type Timers, timerMsMax } from '../base/clock.js';
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import type { CallOptions } from './kv-client.js';
import type { KeptAlive } from './lease-client.js';

/** @since 0.1.0 */
export interface LeaseStatus {
  /** Seconds it lives after a keep-alive. */
  readonly ttlSeconds: number;
  /** Milliseconds it has left by the leader's clock. */
  readonly remainingMs: number;
  /** Its keys in order; present when asked for. */
  readonly keys?: readonly Uint8Array[];
}

/** @since 0.1.0 */
export interface TimeToLiveOptions extends CallOptions {
  /** Answer with the keys attached to it; default false. */
  readonly keys?: boolean | undefined;
}

/** @since 0.1.0 */
export interface LeaseRevokeResponse {
  /** Of the deletes, or the current one when the lease had no keys. */
  readonly revision: number;
  /** Keys deleted. */
  readonly deleted: number;
}

/** What a lease needs of its store. @since 0.1.0 */
export interface LeaseParts {
  readonly id: bigint;
  readonly ttlSeconds: number;
  /** Index of the entry that granted it. */
  readonly generation: number;
  /** Monotonic milliseconds when the grant was sent off. */
  readonly sentMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly keepAlive: (options: CallOptions) => Promise<KeptAlive>;
  /** `onSend` is called before anything leaves, unless it is refused for its options. */
  readonly revoke: (options: CallOptions, onSend: () => void) => Promise<LeaseRevokeResponse>;
  readonly timeToLive: (options: TimeToLiveOptions) => Promise<LeaseStatus | undefined>;
  /** It is lost or revoked, or its store closed: nothing will come of it any more. */
  readonly onEnd: (lease: Lease) => void;
}

/**
 * Made by `store.lease`.
 *
 * @since 0.1.0
 * @example
 * const lease = await store.lease(10, { keepAlive: true });
 * await store.put('workers/7', 'here', { lease: lease.id });
 * lease.lost.addEventListener('abort', () => stopWorking());
 */
export class Lease {
  /** An int64; to be given to `put`. */
  readonly id: bigint;
  /** As granted: a TTL below the least possible was raised to it. */
  readonly ttlSeconds: number;
  readonly #parts: LeaseParts;
  readonly #lost = new AbortController();
  #isRevokedHere = false;
  /** Until then the lease lives for certain, by the local clock. */
  #safeUntilMs: number;
  #lossTimer: Timer | undefined;
  #renewTimer: Timer | undefined;
  #isKept: boolean;

  /** @param isKept - whether it is kept alive from here on, without anybody calling */
  constructor(parts: LeaseParts, isKept: boolean) {
    this.#parts = parts;
    this.#isKept = isKept;
    this.id = parts.id;
    this.ttlSeconds = parts.ttlSeconds;
    this.#safeUntilMs = parts.sentMs + this.#ttlMs;
    this.#watchForLoss();
    // A third of its TTL from when it was granted: an answer that was long on its way leaves less time.
    const renewMs = this._leftMs - (2 * this.#ttlMs) / 3;
    if (isKept && !this.lost.aborted) this.#renewAfter(Math.max(0, renewMs));
  }

  /**
   * Fires when the lease can not be counted on any more: a TTL after the last successful keep-alive
   * was sent, by the local clock, which is never later than the keys go; and when {@link revoke} is
   * called, before it leaves. Its reason is a `LEASE_EXPIRED`, `LEASE_NOT_FOUND` (revoked, too) or
   * `CLOSED`. It fires once and for good.
   *
   * Asking for it looks at the clock: a process that was stopped may run for a while before its timers
   * do, and must not take a lease for alive meanwhile.
   */
  get lost(): AbortSignal {
    this.#lossTime();
    return this.#lost.signal;
  }

  /**
   * Lets it live a whole TTL from now; through any member.
   *
   * @throws {KontikiError} LEASE_NOT_FOUND; TIMEOUT: call again; the reason of {@link lost}
   */
  async keepAlive(options: CallOptions = {}): Promise<void> {
    this.lost.throwIfAborted();
    const { ttlSeconds, sentMs } = await this.#parts.keepAlive(options);
    if (ttlSeconds === 0) {
      this._lose(notFound(this.id));
      throw this.lost.reason;
    }
    this.lost.throwIfAborted();
    this.#safeUntilMs = Math.max(this.#safeUntilMs, sentMs + this.#ttlMs);
  }

  /**
   * Ends it and deletes its keys, in one revision. Another lease, granted with its id since, stays.
   * From the call on {@link lost} has fired and nobody here renews it, whatever becomes of the call: when
   * its answer is lost the keys may be gone at any moment. After a failure call again, or leave it to run
   * out.
   *
   * @param options - `timeoutMs`, `signal`
   * @throws {KontikiError} LEASE_NOT_FOUND, when it is gone; ARGUMENT_INVALID, and `signal.reason` of a
   *   signal that had fired before: then it lives on; and as every write
   */
  async revoke(options: CallOptions = {}): Promise<LeaseRevokeResponse> {
    const onSend = (): void => {
      if (!this.#lost.signal.aborted) this.#isRevokedHere = true;
      this._lose(kontikiError('LEASE_NOT_FOUND', `store: lease ${this.id} was revoked here`));
    };
    try {
      const response = await this.#parts.revoke(options, onSend);
      this.#isRevokedHere = false;
      return response;
    } catch (error) {
      if (isKontikiError(error, 'LEASE_NOT_FOUND')) this.#isRevokedHere = false;
      throw error;
    }
  }

  /**
   * What it has left by the leader's clock; `undefined` when it is gone.
   *
   * @throws {KontikiError} TIMEOUT, CLOSED, CORRUPT
   */
  timeToLive(options: TimeToLiveOptions = {}): Promise<LeaseStatus | undefined> {
    return this.#parts.timeToLive(options);
  }

  /**
   * Lets it run out: from now on it is kept alive by calls of {@link keepAlive} alone. It and its keys
   * stay until its time is over.
   */
  stopKeepAlive(): void {
    this.#isKept = false;
    this.#renewTimer?.cancel();
  }

  /** The store's: what tells it from others of its id. */
  get _generation(): number {
    return this.#parts.generation;
  }

  /** The recipes': it was revoked here, and nobody has confirmed that: it may live for {@link _leftMs}. */
  get _isInDoubt(): boolean {
    return this.#isRevokedHere;
  }

  /** The recipes': milliseconds of its time that are left by the local clock, revoked or not; may be negative. */
  get _leftMs(): number {
    return this.#safeUntilMs - this.#parts.clock.monotonicMs();
  }

  /** The store's: the lease is lost for this reason, unless it was before. */
  _lose(reason: KontikiError): void {
    if (this.#lost.signal.aborted) return;
    this.#lossTimer?.cancel();
    this.#renewTimer?.cancel();
    this.#parts.onEnd(this);
    this.#lost.abort(reason);
  }

  get #ttlMs(): number {
    return this.ttlSeconds * 1_000;
  }

  /** Loses it when its time is over; returns the milliseconds that are left. */
  #lossTime(): number {
    const leftMs = this._leftMs;
    if (leftMs > 0) return leftMs;
    const message = `no keep-alive of lease ${this.id} succeeded within its TTL`;
    this._lose(kontikiError('LEASE_EXPIRED', message));
    return 0;
  }

  /** A keep-alive does not touch the timer: when it comes too early, it is set again. */
  #watchForLoss(): void {
    const leftMs = this.#lossTime();
    if (leftMs === 0) return;
    const delayMs = Math.min(leftMs, timerMsMax);
    this.#lossTimer = this.#parts.timers.after(delayMs, () => this.#watchForLoss());
  }

  #renewAfter(ms: number): void {
    this.#renewTimer = this.#parts.timers.after(Math.min(ms, timerMsMax), () => void this.#renew());
  }

  /** Never rejects. */
  async #renew(): Promise<void> {
    let pauseMs = this.#ttlMs / 3;
    try {
      await this.keepAlive({ timeoutMs: Math.min(pauseMs, timerMsMax) });
    } catch {
      // Passing, unless the lease is lost by now.
      pauseMs = Math.min(500, this.#ttlMs / 10);
    }
    if (this.#isKept && !this.lost.aborted) this.#renewAfter(pauseMs);
  }
}

function notFound(id: bigint): KontikiError {
  return kontikiError('LEASE_NOT_FOUND', `store: lease ${id} is gone`);
}
