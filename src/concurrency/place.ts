/**
 * A place in the line for a name: a key `<name>/<lease id in hexadecimal>` on a session's lease. Whose
 * key was created first is first; everybody else waits for the one right before them to go, so that
 * each end wakes one waiter (etcd's layout and order, so that its clients stand in the same line).
 *
 * A key that is not wanted any more would hold up all behind it. So each way out of the line ends with
 * the key being gone for certain: deleted behind whatever put it, or ended with its lease.
 */
import { isWellFormed } from '../base/bytes.js';
import { isKontikiError, kontikiError } from '../base/errors.js';
import type { KeyValue } from '../store/key-value.js';
import type { Bytes, CallOptions, RangeOptions } from '../store/kv-client.js';
import { checkNames, waitNames } from './option-names.js';
import { Patience, type WaitOptions } from './patience.js';
import { persist } from './persist.js';
import { seeDeleted } from './see-deleted.js';
import type { Session } from './session.js';
import { allWith, createdAt, first, oneKey, ownValue, put, remove } from './steps.js';

/** @since 0.1.0 */
export interface PlaceOptions {
  /** What is stood in line for. */
  readonly name: string;
  readonly session: Session;
  /** Of the key, as it is when the call is made. */
  readonly value: Bytes;
}

/** @since 0.1.0 */
export class Place {
  readonly session: Session;
  readonly key: string;
  readonly #prefix: string;
  readonly #value: Bytes;
  readonly #unclaim: () => void;
  /** `undefined` as long as nobody said that the key is there. */
  #createRevision: number | undefined;
  /** It may be there, now or later. */
  #isPut = false;
  #leaving: Promise<void> | undefined;

  /** @throws {KontikiError} LOCK_HELD, when the session has a place in this line already */
  private constructor({ name, session, value }: PlaceOptions) {
    this.session = session;
    this.#prefix = prefixOf(name);
    this.#value = value;
    this.key = keyOf({ name, session });
    this.#unclaim = session._claim(this.key);
  }

  /**
   * Stands in line until it is the first.
   *
   * @throws {KontikiError} LOCK_HELD, TIMEOUT, OWNERSHIP_LOST, ARGUMENT_INVALID, the reason for which
   *   the session was lost, `signal.reason`, and as every write: in each case the place is given up
   */
  static first(options: PlaceOptions, wait: WaitOptions): Promise<Place> {
    return Place.#take(options, wait, async (place, signal) => {
      if (!(await place.#enter(signal))) await place.#waitForTurn(signal);
    });
  }

  /**
   * Takes the first place if there is no line, in one step: nobody is held up by an attempt.
   *
   * @throws {KontikiError} as {@link first}; LOCK_HELD also when there is a line
   */
  static alone(options: PlaceOptions, wait: WaitOptions): Promise<Place> {
    return Place.#take(options, wait, (place, signal) => place.#enterAlone(signal));
  }

  /** Makes a place and takes it; when that fails it is given up, which nobody waits for. */
  static async #take(
    asked: PlaceOptions,
    wait: WaitOptions,
    enter: (place: Place, signal: AbortSignal) => Promise<void>,
  ): Promise<Place> {
    checkNames(wait, waitNames);
    // Before anything is waited for or claimed: from here on the array is the caller's again.
    const options = { ...asked, value: ownValue(asked.value) };
    const { session } = options;
    const patience = new Patience(wait, session.timers).follow(session);
    try {
      patience.signal.throwIfAborted();
      await session._untilLeft(keyOf(options), patience.signal);
      const place = new Place(options);
      try {
        await enter(place, patience.signal);
        return place;
      } catch (error) {
        place.leave().catch(() => undefined);
        throw patience.reasonOf(error);
      }
    } finally {
      patience.end();
    }
  }

  /** When it was taken: grows from holder to holder. */
  get createRevision(): number {
    return this.#createRevision as number;
  }

  /**
   * Gives it up. Resolves when the key is gone: deleted, or with the session. If the time of the session
   * was over before, it makes one attempt.
   *
   * @throws {KontikiError} what does not pass by itself; the session still has the place then
   */
  leave(): Promise<void> {
    if (this.#leaving !== undefined) return this.#leaving;
    this.#leaving = this.#leave().catch((error: unknown) => {
      this.#leaving = undefined;
      throw error;
    });
    this.session._leaves(this.key, this.#leaving);
    return this.#leaving;
  }

  /**
   * Puts the key.
   *
   * @returns whether it is the first
   */
  async #enter(signal: AbortSignal): Promise<boolean> {
    const { kv, lease } = this.session;
    const txn = kv
      .txn()
      .if(createdAt(oneKey(this.key), 0))
      .do(put(this.key, this.#value, lease.id), first(this.#prefix));
    this.#isPut = true;
    for (;;) {
      const { succeeded, revision, results } = await this.#answered(
        (options) => txn.commit(options),
        signal,
      );
      if (succeeded) {
        this.#createRevision = revision;
        const [, range] = results;
        return range?.op === 'range' && range.kvs[0]?.createRevision === revision;
      }
      // Nobody in this process has this key: it is left of an attempt that was not answered.
      await this.#answered((options) => kv.delete(this.key, options), signal);
    }
  }

  async #enterAlone(signal: AbortSignal): Promise<void> {
    const { kv, lease, timers } = this.session;
    const txn = kv
      .txn()
      .if(createdAt(allWith(this.#prefix), 0))
      .do(put(this.key, this.#value, lease.id));
    const commit = () => txn.commit({ signal });
    this.#isPut = true;
    const { succeeded, revision } = await persist(commit, { timers, signal });
    if (!succeeded) {
      this.#isPut = false;
      const message = `expected nobody to hold '${this.#prefix}'`;
      throw kontikiError('LOCK_HELD', message, { outcome: 'rejected' });
    }
    this.#createRevision = revision;
  }

  async #waitForTurn(signal: AbortSignal): Promise<void> {
    const { kv } = this.session;
    const before: RangeOptions = {
      prefix: this.#prefix,
      maxCreateRevision: this.createRevision - 1,
      ...{ sortBy: 'createRevision', order: 'descend', limit: 1, keysOnly: true },
    };
    for (;;) {
      const { kvs, revision } = await this.#answered(
        (options) => kv.range({ ...before, ...options }),
        signal,
      );
      const [next] = kvs;
      if (next === undefined) break;
      await this.#untilGone(next, revision, signal);
    }
    // It may have been deleted meanwhile, with the lease or by somebody's hand.
    const own = await this.#answered((options) => kv.get(this.key, options), signal);
    if (own?.createRevision === this.createRevision) return;
    throw kontikiError('OWNERSHIP_LOST', `'${this.key}' was deleted while it waited`);
  }

  /** @param revision - in which the key was there */
  async #untilGone(
    { key, createRevision }: Pick<KeyValue, 'key' | 'createRevision'>,
    revision: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { kv, timers, _blindMs: lookMs } = this.session;
    let fromRevision = revision + 1;
    // A look at this one alone: all who wait would look through the whole line each TTL.
    while (!(await seeDeleted(kv, { key, fromRevision, signal, timers, lookMs }))) {
      const seen = await this.#answered((options) => kv.getWithRevision(key, options), signal);
      if (seen.kv?.createRevision !== createRevision) return;
      fromRevision = seen.revision + 1;
    }
  }

  /** Until it is answered; who is not for a whole TTL would hold up others without knowing that it is its turn. */
  async #answered<T>(call: (options: CallOptions) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { timers, _blindMs: timeoutMs } = this.session;
    const patience = new Patience({ signal, timeoutMs }, timers);
    try {
      const options = { signal: patience.signal };
      return await persist(() => call(options), { timers, ...options, evenUnknown: true });
    } finally {
      patience.end();
    }
  }

  async #leave(): Promise<void> {
    const { lease, timers } = this.session;
    const patience = new Patience({}, timers);
    // A lease that was revoked here in vain may hold the key until its time is over.
    if (lease._isInDoubt) patience.endWith(lease);
    else patience.follow(this.session);
    const { signal } = patience;
    try {
      const gone = () => this.#remove();
      // The leader may have renewed what is over here: one attempt spares others the rest of that time.
      const isLate = isKontikiError(signal.reason, 'LEASE_EXPIRED');
      if (this.#isPut)
        await (isLate ? gone() : persist(gone, { timers, signal, evenUnknown: true }));
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      patience.end();
    }
    this.#unclaim();
  }

  /**
   * Without an answer to the put nobody knows whether it was, or still will be, carried out. The delete
   * takes the same way behind it, so it finds what the put left; a read could come in between.
   */
  async #remove(): Promise<void> {
    const { kv } = this.session;
    if (this.#createRevision === undefined) await kv.delete(this.key);
    else {
      // The guard makes it harmless to be carried out twice, and late: another life of the key stays.
      const isOwn = createdAt(oneKey(this.key), this.#createRevision);
      await kv.txn().if(isOwn).do(remove(this.key)).commit();
    }
  }
}

function keyOf({ name, session }: Pick<PlaceOptions, 'name' | 'session'>): string {
  return `${prefixOf(name)}${session.lease.id.toString(16)}`;
}

/**
 * What keys of a name begin with.
 *
 * @throws {KontikiError} ARGUMENT_INVALID
 * @since 0.1.0
 */
export function prefixOf(name: string): string {
  if (typeof name !== 'string' || name === '') {
    throw nameInvalid(`a name of at least one character, got ${String(name) || "''"}`);
  }
  // A claim is by name, and keys are bytes: two names of the same ones would both be held.
  if (!isWellFormed(name)) throw nameInvalid('a well-formed name, got half of a surrogate pair');
  return `${name}/`;
}

function nameInvalid(expected: string) {
  return kontikiError('ARGUMENT_INVALID', `expected ${expected}`, { outcome: 'rejected' });
}
