/**
 * Asks the leader about leases, from any member, until it answers. Keep-alives that are called in one
 * breath travel as one question.
 */
import type { Clock, Timer, Timers } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import { isPassing, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { sleep } from '../base/sleep.js';
import {
  decodeLeaseAnswer,
  encodeLeaseQuestion,
  type LeaseName,
  type LeaseQuestion,
  type LeaseTime,
} from '../codec/lease-question-codec.js';
import type { Node } from '../node/index.js';
import type { WaitLimits } from './timed-wait.js';

/** @since 0.1.0 */
export interface LeaseClientParts {
  readonly node: Pick<Node, 'ask'>;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** A keep-alive that the leader answered. @since 0.1.0 */
export interface KeptAlive {
  /** 0: there is no such lease. */
  readonly ttlSeconds: number;
  /** Monotonic milliseconds when it was sent off: the lease lives a TTL from then at least. */
  readonly sentMs: number;
}

interface Call<T> {
  readonly deferred: Deferred<T>;
  readonly timer: Timer;
  readonly stopListening: (() => void) | undefined;
}

interface Waiting {
  readonly name: LeaseName;
  readonly call: Call<KeptAlive>;
}

/** Pause before a question that was refused is asked again. */
const retryMs = 50;

/** @since 0.1.0 */
export class LeaseClient {
  readonly #parts: LeaseClientParts;
  #waiting: Waiting[] | undefined;

  constructor(parts: LeaseClientParts) {
    this.#parts = parts;
  }

  /**
   * Renews a lease.
   *
   * @throws {KontikiError} TIMEOUT, CLOSED, or why the member stopped; `signal.reason`
   */
  keepAlive(name: LeaseName, options: WaitLimits): Promise<KeptAlive> {
    const call = this.#open<KeptAlive>(options);
    let group = this.#waiting;
    if (group === undefined || group.length >= limits.leasesPerMessageMax) {
      group = [];
      this.#waiting = group;
      void this.#keepAlive(group);
    }
    group.push({ name, call });
    return call.deferred.promise;
  }

  /**
   * How long a lease has left; `undefined` when it is not there.
   *
   * @throws {KontikiError} as {@link keepAlive}
   */
  timeToLive(name: LeaseName, options: WaitLimits): Promise<LeaseTime | undefined> {
    const call = this.#open<LeaseTime | undefined>(options);
    void this.#timeToLive(name, call);
    return call.deferred.promise;
  }

  /** Never rejects. */
  async #keepAlive(group: readonly Waiting[]): Promise<void> {
    // Who calls in the same breath comes along.
    await Promise.resolve();
    if (this.#waiting === group) this.#waiting = undefined;
    for (;;) {
      const open = group.filter(({ call }) => !call.deferred.settled);
      if (open.length === 0) return;
      const sentMs = this.#parts.clock.monotonicMs();
      try {
        const leases = open.map(({ name }) => name);
        const answers = await this.#ask({ kind: 'keep-alive', leases });
        if (answers === undefined) continue;
        open.forEach(({ call }, at) => {
          settle(call, () => call.deferred.resolve({ ttlSeconds: answers[at] ?? 0, sentMs }));
        });
      } catch (error) {
        for (const { call } of open) settle(call, () => call.deferred.reject(error));
      }
    }
  }

  /** Never rejects. */
  async #timeToLive(name: LeaseName, call: Call<LeaseTime | undefined>): Promise<void> {
    while (!call.deferred.settled) {
      try {
        const numbers = await this.#ask({ kind: 'time-to-live', ...name });
        if (numbers === undefined) continue;
        const [ttlSeconds, remainingMs = 0] = numbers;
        const time = ttlSeconds === undefined ? undefined : { ttlSeconds, remainingMs };
        settle(call, () => call.deferred.resolve(time));
      } catch (error) {
        settle(call, () => call.deferred.reject(error));
      }
    }
  }

  /** One attempt; `undefined`: ask again. */
  async #ask(question: LeaseQuestion): Promise<number[] | undefined> {
    try {
      return decodeLeaseAnswer(await this.#parts.node.ask(encodeLeaseQuestion(question)));
    } catch (error) {
      if (!isPassing(error)) throw error;
      await sleep(this.#parts.timers, retryMs);
      return undefined;
    }
  }

  #open<T>({ timeoutMs, leftMs = timeoutMs, signal }: WaitLimits): Call<T> {
    signal?.throwIfAborted();
    const deferred = new Deferred<T>();
    const timer = this.#parts.timers.after(leftMs, () => {
      const message = `store: expected the leader's answer within ${timeoutMs} ms`;
      settle(call, () => deferred.reject(kontikiError('TIMEOUT', message)));
    });
    const abort = () => settle(call, () => deferred.reject(signal?.reason));
    signal?.addEventListener('abort', abort, { once: true });
    const stopListening = signal && (() => signal.removeEventListener('abort', abort));
    const call: Call<T> = { deferred, timer, stopListening };
    return call;
  }
}

function settle<T>(call: Call<T>, how: () => void): void {
  if (call.deferred.settled) return;
  call.timer.cancel();
  call.stopListening?.();
  how();
}
