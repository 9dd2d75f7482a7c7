/**
 * What the first in line holds: the key that says so, a token that grows from holder to holder, and a
 * signal that tells when it is over. A lock and a leadership are this with different words.
 */
import { asyncDispose } from '../base/async-dispose.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { sleep } from '../base/sleep.js';
import type { KvClient } from '../store/kv-client.js';
import { persist } from './persist.js';
import type { Place } from './place.js';
import { seeDeleted } from './see-deleted.js';
import { createdAt, type Guard, oneKey } from './steps.js';

/** Before the key is looked at when watching it failed, in milliseconds. */
const lookAgainMs = 1_000;

type ReadKey = Awaited<ReturnType<KvClient['getWithRevision']>>;

/** @since 0.1.0 */
export class HeldKey implements AsyncDisposable {
  /** For the transactions of who holds it; see {@link isOwner}. */
  readonly key: string;
  /**
   * The key's create revision. Every later holder has a greater one, so a resource that refuses tokens
   * smaller than the greatest it has seen is safe from holders who do not know yet that they lost.
   */
  readonly token: number;
  readonly #place: Place;
  readonly #release: () => Promise<void>;
  readonly #lost = new AbortController();
  readonly #stopListening: readonly (() => void)[];

  /**
   * @param place - the first in its line
   * @param release - gives it up for good
   */
  constructor(place: Place, release: () => Promise<void>) {
    this.key = place.key;
    this.token = place.createRevision;
    this.#place = place;
    this.#release = release;
    const { session } = place;
    this.#stopListening = [
      session._whenLost(() => this.#lose(place.session.lost.reason)),
      session._whenClosed(() => this.#lose(this.#givenUp())),
    ];
    void this.#follow();
  }

  /**
   * Fires once, when it can not be counted on any more: the session is lost, the key was deleted or
   * could not be looked at for a TTL, or it was given up, with its session too. Never later than somebody
   * else can hold it, by the local clock; asking for it looks at the clock, so ask each time and keep no
   * copy. Its reason is an `OWNERSHIP_LOST` or that of the session.
   */
  get lost(): AbortSignal {
    const { lost } = this.#place.session;
    if (lost.aborted) this.#lose(lost.reason);
    return this.#lost.signal;
  }

  /** Holds in a transaction as long as the key is there: writes behind it are safe from late holders. */
  get isOwner(): Guard {
    return createdAt(oneKey(this.key), this.token);
  }

  /** Gives it up; see the methods of the same effect. */
  [asyncDispose](): Promise<void> {
    return this._release();
  }

  /** The subclasses'. */
  get _session() {
    return this.#place.session;
  }

  /** The subclasses': gives it up. From here on it must not be used, whenever the key goes. */
  _release(): Promise<void> {
    this.#lose(this.#givenUp());
    return this.#release();
  }

  #givenUp(): KontikiError {
    return ownershipLost(`'${this.key}' was given up`);
  }

  /**
   * The subclasses': it is lost. Nobody has to give it up any more, so what it still had is given back
   * here: a session that lives on stands in line again, one that was made for it ends.
   */
  _lose(message: string): KontikiError {
    const error = ownershipLost(message);
    if (this.#lost.signal.aborted) return error;
    this.#lose(error);
    // What does not pass by itself ends the session, too.
    this.#release().catch(() => undefined);
    return error;
  }

  #lose(reason: unknown): void {
    if (this.#lost.signal.aborted) return;
    for (const stop of this.#stopListening) stop();
    this.#lost.abort(reason);
  }

  /** Looks on until the key is deleted, or it was lost otherwise. Never rejects. */
  async #follow(): Promise<void> {
    const { kv, timers } = this.#place.session;
    const { signal } = this.#lost;
    let fromRevision = this.token + 1;
    for (;;) {
      const lookMs = this.#place.session._blindMs;
      const what = { key: this.key, fromRevision, signal, timers, lookMs };
      const isGone = await seeDeleted(kv, what).catch(() => sleep(timers, lookAgainMs, signal));
      if (isGone === true) break;
      const seen = await this.#look();
      if (seen === undefined) return;
      if (seen.kv?.createRevision !== this.token) break;
      fromRevision = seen.revision + 1;
    }
    this._lose(`'${this.key}' was deleted`);
  }

  /**
   * Reads the key until that succeeds, whatever it fails with: a store that has stopped ends the session,
   * and anything else may pass. Who cannot look for a whole TTL cannot count on the key any more.
   *
   * @returns `undefined`: it is lost
   */
  async #look(): Promise<ReadKey | undefined> {
    const { kv, timers, _blindMs: blindMs } = this.#place.session;
    const { signal } = this.#lost;
    const blind = timers.after(blindMs, () => void this._lose(`'${this.key}' could not be read`));
    try {
      while (!signal.aborted) {
        const read = () => kv.getWithRevision(this.key, { signal });
        const seen = await persist(read, { timers, signal }).catch(() => undefined);
        if (seen !== undefined) return seen;
        await sleep(timers, lookAgainMs, signal);
      }
      return undefined;
    } finally {
      blind.cancel();
    }
  }
}

function ownershipLost(message: string): KontikiError {
  return kontikiError('OWNERSHIP_LOST', message, { outcome: 'rejected' });
}
