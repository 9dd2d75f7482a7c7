/** The lock of a name, on a session that may hold many. */
import { HeldLock } from './held-lock.js';
import type { WaitOptions } from './patience.js';
import { Place } from './place.js';
import type { Session } from './session.js';

/**
 * A lock by name. First come, first served: waiters get it in the order in which their keys were
 * created. Usable again and again, by one user at a time: a session can hold a name once.
 *
 * @since 0.1.0
 * @example
 * const mutex = new Mutex(session, 'jobs/nightly');
 * await using held = await mutex.lock({ timeoutMs: 5_000 });
 * await table.write(row, { token: held.token });
 */
export class Mutex {
  readonly name: string;
  readonly #session: Session;

  /** @param name - keys begin with it and a `/` */
  constructor(session: Session, name: string) {
    this.#session = session;
    this.name = name;
  }

  /**
   * Waits until it holds the lock, through changes of leaders.
   *
   * @throws {KontikiError} TIMEOUT; LOCK_HELD, when this session holds or awaits it; OWNERSHIP_LOST,
   *   when its key was deleted while it waited; ARGUMENT_INVALID; why the session was lost;
   *   `signal.reason`. In each case it does not hold the lock, nor hold up others
   */
  async lock(options: WaitOptions = {}): Promise<HeldLock> {
    return this.#held(await Place.first(this.#place, options));
  }

  /**
   * Takes the lock if nobody holds or awaits it.
   *
   * @throws {KontikiError} LOCK_HELD when somebody does; else as {@link lock}, and as every write
   */
  async tryLock(options: WaitOptions = {}): Promise<HeldLock> {
    return this.#held(await Place.alone(this.#place, options));
  }

  get #place() {
    return { name: this.name, session: this.#session, value: '' };
  }

  #held(place: Place): HeldLock {
    return new HeldLock(place, () => place.leave());
  }
}
