/**
 * A session: a lease kept alive, on which keys of locks and elections live. When its process dies, or
 * is cut off for too long, the lease ends and others take over.
 */
import { asyncDispose } from '../base/async-dispose.js';
import { systemTimers, type Timers, timerMsMax } from '../base/clock.js';
import { isErrorOf, isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import type { CallOptions, KvClient } from '../store/kv-client.js';
import type { Lease } from '../store/lease.js';
import { checkNames, sessionNames, waitNames } from './option-names.js';
import { Patience, type WaitOptions } from './patience.js';
import { persist } from './persist.js';

/** How often a lease is asked for that came too late. */
const grantsMax = 3;

/** @since 0.1.0 */
export interface SessionOptions extends CallOptions {
  /**
   * Seconds after which others take over from a process that is gone; default 60. Short ones are lost
   * to short hindrances; the least is one and a half election timeouts.
   */
  readonly ttlSeconds?: number | undefined;
  /** Measures pauses and timeouts; default: the platform's, simulations give their own. */
  readonly timers?: Timers | undefined;
}

/**
 * Made by {@link openSession}.
 *
 * @since 0.1.0
 */
export class Session implements AsyncDisposable {
  readonly kv: KvClient;
  /** What its keys are attached to. */
  readonly lease: Lease;
  readonly timers: Timers;
  /** Keys that somebody in this process holds or waits with. */
  readonly #claims = new Set<string>();
  /** Those of them that are being given up: settles with it, and never rejects. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #whenLost = new Set<() => void>();
  readonly #whenClosed = new Set<() => void>();
  /** The lease is gone for certain, or nobody can send anything for it any more. */
  #isEnded = false;

  constructor(parts: Pick<Session, 'kv' | 'lease' | 'timers'>) {
    this.kv = parts.kv;
    this.lease = parts.lease;
    this.timers = parts.timers;
    this.lost.addEventListener('abort', () => callAll(this.#whenLost), { once: true });
  }

  /** Milliseconds of a TTL: who learned nothing for as long cannot count on what it knew. @internal */
  get _blindMs(): number {
    return Math.min(this.lease.ttlSeconds * 1_000, timerMsMax);
  }

  /**
   * Fires when nothing of the session can be counted on any more: see `Lease.lost`. {@link close} fires
   * it before anything is sent.
   */
  get lost(): AbortSignal {
    return this.lease.lost;
  }

  /**
   * Leaves the lease to itself: it is not renewed any more, its keys stay until its time is over, and
   * {@link lost} fires then.
   */
  orphan(): void {
    this.lease.stopKeepAlive();
  }

  /**
   * Ends it, and deletes its keys, in one revision. From the call on all that is held on it was given up:
   * its `lost` has fired. Whatever becomes of the call, nobody renews the lease any more; so it resolves
   * at the latest when the time of the lease is over. If that was so before, it makes one attempt and
   * resolves. Once the lease is gone a further call does nothing; after a failure it tries again.
   *
   * @param options - `timeoutMs`, `signal`
   * @throws {KontikiError} TIMEOUT, `signal.reason`, what does not pass by itself: then the lease ends a
   *   TTL from now at most
   */
  async close(options: WaitOptions = {}): Promise<void> {
    checkNames(options, waitNames);
    const { timers } = this;
    const patience = new Patience(options, timers);
    this.orphan();
    // The revoke may get through though nobody here ever hears of it.
    callAll(this.#whenClosed);
    const isLate = this.lease._leftMs <= 0;
    const over = isLate ? undefined : patience.endWith(this.lease);
    const { signal } = patience;
    try {
      const revoke = () => this.lease.revoke({ signal });
      const persistently = () => persist(revoke, { timers, signal, evenUnknown: true });
      // The leader may have renewed what is over here: one attempt spares others the rest of that time.
      if (!this.#hasEnded()) await (isLate ? revoke() : persistently());
      this.#isEnded = true;
    } catch (error) {
      if (isErrorOf(error, ['LEASE_NOT_FOUND', 'CLOSED'])) this.#isEnded = true;
      else if (this.lease._leftMs > 0 && signal.reason !== over) throw patience.reasonOf(error);
    } finally {
      patience.end();
    }
  }

  /** Nothing need, or can, be sent for it any more. */
  #hasEnded(): boolean {
    const { aborted, reason } = this.lost;
    if (this.#isEnded || !aborted) return this.#isEnded;
    return !this.lease._isInDoubt && !isKontikiError(reason, 'LEASE_EXPIRED');
  }

  /** Same as {@link close}. */
  [asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * The recipes': calls back when it is lost. One session may hold many locks, and a signal with more than
   * a few listeners makes Node warn of a leak.
   *
   * @returns calls it off
   */
  _whenLost(callback: () => void): () => void {
    this.#whenLost.add(callback);
    return () => this.#whenLost.delete(callback);
  }

  /**
   * The recipes': calls back when it is about to be closed: what is held on it is given up by that.
   *
   * @returns calls it off
   */
  _whenClosed(callback: () => void): () => void {
    this.#whenClosed.add(callback);
    return () => this.#whenClosed.delete(callback);
  }

  /**
   * The recipes': takes a key for one of its users. Two of them with one key would both be told that
   * they hold it, for the key says no more than the session.
   *
   * @returns gives it back
   * @throws {KontikiError} LOCK_HELD
   */
  _claim(key: string): () => void {
    if (this.#claims.has(key)) {
      const message = `expected a key that this session does not use yet, got '${key}'`;
      throw kontikiError('LOCK_HELD', message, { outcome: 'rejected' });
    }
    this.#claims.add(key);
    return () => this.#claims.delete(key);
  }

  /** The recipes': a key that was claimed is being given up. */
  _leaves(key: string, leaving: Promise<void>): void {
    const over = () => {
      if (this.#leaving.get(key) === settled) this.#leaving.delete(key);
    };
    const settled = leaving.then(over, over);
    this.#leaving.set(key, settled);
  }

  /**
   * The recipes': waits while a key is being given up, for it is neither held nor awaited any more.
   *
   * @throws `signal.reason`
   */
  async _untilLeft(key: string, signal: AbortSignal): Promise<void> {
    for (let left = this.#leaving.get(key); left !== undefined; left = this.#leaving.get(key)) {
      await ended(left, signal);
      signal.throwIfAborted();
    }
  }
}

function callAll(callbacks: Iterable<() => void>): void {
  for (const callback of [...callbacks]) callback();
}

/** Resolves with either of them. */
function ended(settled: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      signal.removeEventListener('abort', over);
      resolve();
    };
    signal.addEventListener('abort', over);
    void settled.then(over);
  });
}

/**
 * Grants a lease and keeps it alive. One whose grant is heard of only when its time is over is given back,
 * and another one asked for, a few times: the session lives when this resolves.
 *
 * @param kv - a store
 * @param options - see {@link SessionOptions}; `timeoutMs` is for all of it
 * @throws {KontikiError} ARGUMENT_INVALID, why the store stopped, and as every write; TIMEOUT also when
 *   all grants came too late
 * @since 0.1.0
 * @example await using session = await openSession(store, { ttlSeconds: 10 });
 */
export async function openSession(kv: KvClient, options: SessionOptions = {}): Promise<Session> {
  checkNames(options, sessionNames);
  const { ttlSeconds = 60, timers = systemTimers, signal, timeoutMs } = options;
  const patience = new Patience({ signal, timeoutMs }, timers);
  let grants = 0;
  try {
    // The first one says by itself what became of it when its time is over.
    let lease = await kv.lease(ttlSeconds, { keepAlive: true, signal, timeoutMs });
    for (grants = 1; lease.lost.aborted; grants += 1) {
      if (!isKontikiError(lease.lost.reason, 'LEASE_EXPIRED')) throw lease.lost.reason;
      lease.revoke().catch(() => undefined);
      patience.signal.throwIfAborted();
      if (grants === grantsMax) throw tooLate(ttlSeconds);
      lease = await kv.lease(ttlSeconds, { keepAlive: true, signal: patience.signal, timeoutMs });
    }
    return new Session({ kv, lease, timers });
  } catch (error) {
    // The own time was over in the middle of a later grant, which was then aborted.
    const isOver = grants > 0 && patience.signal.aborted && signal?.aborted !== true;
    throw isOver ? tooLate(ttlSeconds) : error;
  } finally {
    patience.end();
  }
}

function tooLate(ttlSeconds: number): KontikiError {
  const message = `expected a lease to be granted within its TTL of ${ttlSeconds} s`;
  return kontikiError('TIMEOUT', message, { outcome: 'unknown' });
}
