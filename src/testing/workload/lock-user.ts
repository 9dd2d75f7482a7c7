/**
 * A user of locks and elections: waits for one, patiently or not, uses what it guards for a while, and
 * gives it back, or forgets to. It does so through one member after the other.
 */
import { asyncDispose } from '../../base/async-dispose.js';
import type { Timers } from '../../base/clock.js';
import { isKontikiError } from '../../base/errors.js';
import { type Random, randomInt } from '../../base/prng.js';
import {
  Election,
  type HeldKey,
  lock,
  Mutex,
  openSession,
  type Session,
  tryLock,
} from '../../concurrency/index.js';
import type { Store } from '../../store/store.js';
import type { WorkloadContext } from '../run/workload.js';
import type { LockLedger } from './lock-ledger.js';

/** How often a user looks whether its member lives, in virtual milliseconds. */
const lookMs = 400;

/** Few, so that most are wanted by several. */
const names = ['lock/a', 'lock/b'] as const;

/** What an impatient user gives up with. */
const hurry = new Error('in a hurry');

/** A process that embeds a member: what it holds ends with it. */
interface Life {
  readonly store: Store;
  isOver: boolean;
}

/** @since 0.1.0 */
export class LockUser {
  readonly #context: WorkloadContext<Store>;
  readonly #random: Random;
  readonly #ledger: LockLedger;
  readonly #timers: Timers;
  readonly #ttlSeconds: number;
  /** Kept from one visit to the next, while its member lives. */
  #session: { readonly life: Store; readonly session: Session } | undefined;
  #isStopped = false;
  #isBusy = false;

  /**
   * @param context - of the run
   * @param user - number of this one
   * @param ledger - where it is noted what it was told
   */
  constructor(context: WorkloadContext<Store>, user: number, ledger: LockLedger) {
    this.#context = context;
    this.#random = context.random('lock-user', user);
    this.#ledger = ledger;
    this.#timers = timersOf(context);
    this.#ttlSeconds = 2 + randomInt(this.#random, 3);
  }

  /** Whether it waits for something, its member being alive. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** It begins nothing further. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Goes on until it is stopped. */
  async run(): Promise<void> {
    const { cluster, scenario, sleep } = this.#context;
    while (!this.#isStopped) {
      const name = cluster.running[this.#int(Math.max(1, cluster.running.length))];
      if (name !== undefined) await this.#visit(cluster.service(name));
      await sleep(1 + this.#int(4 * scenario.pauseMs));
    }
    // What it still has ends by itself, as the session of a process that is gone.
    this.#session?.session.orphan();
  }

  async #visit(store: Store): Promise<void> {
    const { cluster, sleep } = this.#context;
    const life: Life = { store, isOver: false };
    this.#isBusy = true;
    const done = this.#use(life).then(
      () => true,
      (error: unknown) => {
        const isExpected = error === hurry || (isKontikiError(error) && error.code !== 'ASSERTION');
        if (!isExpected) this.#context.violated('X5', `a lock failed with ${String(error)}`);
        return true;
      },
    );
    while (!life.isOver && (await Promise.race([done, sleep(lookMs)])) !== true) {
      life.isOver = !cluster.running.some((name) => cluster.find(name) === store);
    }
    this.#isBusy = false;
  }

  async #use(life: Life): Promise<void> {
    const { sleep } = this.#context;
    const name = names[this.#int(names.length)] as string;
    const abort = new AbortController();
    if (this.#int(4) === 0) void sleep(this.#int(1_000)).then(() => abort.abort(hurry));
    const timeoutMs = this.#int(3) === 0 ? this.#int(3_000) : undefined;
    const held = await this.#take(life.store, name, { timeoutMs, signal: abort.signal });
    if (life.isOver) return;
    this.#ledger.granted(name, held.token, this.#context.nowUs);
    // Some hold on for as long as they are let.
    for (let left = this.#int(2) === 0 ? 60 : this.#int(6); left > 0; left -= 1) {
      if (life.isOver || this.#isStopped || held.lost.aborted) break;
      // Somebody else in its process does; whoever uses the lock hears of it by `lost` alone.
      if (this.#int(20) === 0) held._session.close().catch(() => undefined);
      if (held.lost.aborted) break;
      const { token } = held;
      this.#ledger.used(name, { token, ttlSeconds: this.#ttlSeconds }, this.#context.nowUs);
      await sleep(this.#int(400));
    }
    if (life.isOver) return;
    const isOurs = held._session === this.#session?.session;
    if (isOurs && this.#int(6) === 0) return this.#forget();
    await held[asyncDispose]();
  }

  async #take(
    store: Store,
    name: string,
    wait: { readonly timeoutMs: number | undefined; readonly signal: AbortSignal },
  ): Promise<HeldKey> {
    const own = { ttlSeconds: this.#ttlSeconds, timers: this.#timers };
    switch (this.#int(4)) {
      case 0:
        return lock(store, name, { ...own, ...wait });
      case 1:
        return tryLock(store, name, { ...own, ...wait });
      case 2:
        return new Mutex(await this.#sessionOn(store), name).lock(wait);
      default: {
        const election = new Election(store, name, { timers: this.#timers });
        return election.campaign(await this.#sessionOn(store), `${this.#int(100)}`, wait);
      }
    }
  }

  async #sessionOn(store: Store): Promise<Session> {
    const { life, session } = this.#session ?? {};
    if (session !== undefined && life === store && !session.lost.aborted) return session;
    session?.orphan();
    const options = { ttlSeconds: this.#ttlSeconds, timers: this.#timers };
    const opened = await openSession(store, options);
    this.#session = { life: store, session: opened };
    return opened;
  }

  /** Neither gives anything back nor renews its session. */
  #forget(): void {
    this.#session?.session.orphan();
    this.#session = undefined;
  }

  #int(below: number): number {
    return randomInt(this.#random, below);
  }
}

/** They run on while a machine stands still: who waits on them must be told by other means. */
function timersOf({ sleep }: WorkloadContext<Store>): Timers {
  const after: Timers['after'] = (ms, callback) => {
    let isOn = true;
    void sleep(ms).then(() => isOn && callback());
    return {
      cancel: () => {
        isOn = false;
      },
    };
  };
  return { after, soon: (callback) => after(0, callback) };
}
