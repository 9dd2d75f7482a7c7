/**
 * A lock in one call: on a session of its own, which goes with it. Whatever happens to a call on its
 * way, ending that session leaves nothing behind: a put that arrives later finds no lease.
 */
import { systemTimers } from '../base/clock.js';
import type { KvClient } from '../store/kv-client.js';
import { HeldLock } from './held-lock.js';
import { checkNames, sessionNames } from './option-names.js';
import { Patience, type WaitOptions } from './patience.js';
import { persist } from './persist.js';
import { Place } from './place.js';
import { openSession, type Session, type SessionOptions } from './session.js';

/** @since 0.1.0 */
export interface LockOptions extends WaitOptions, Pick<SessionOptions, 'ttlSeconds' | 'timers'> {}

/**
 * Waits until it holds a lock.
 *
 * @param kv - a store
 * @param name - keys begin with it and a `/`
 * @param options - `ttlSeconds`, default 60: others take over when this process is gone for so long;
 *   `timeoutMs`, default none; `signal`; `timers`
 * @throws {KontikiError} as `Mutex.lock`
 * @since 0.1.0
 * @example
 * await using held = await lock(store, 'jobs/nightly', { ttlSeconds: 10, timeoutMs: 5_000 });
 * await table.write(row, { token: held.token });
 */
export function lock(kv: KvClient, name: string, options: LockOptions = {}): Promise<HeldLock> {
  return lockAlone(kv, options, (session, wait) => Place.first({ name, session, value: '' }, wait));
}

/**
 * Takes a lock if nobody holds or awaits it.
 *
 * @throws {KontikiError} LOCK_HELD when somebody does; else as `Mutex.tryLock`
 * @since 0.1.0
 */
export function tryLock(kv: KvClient, name: string, options: LockOptions = {}): Promise<HeldLock> {
  return lockAlone(kv, options, (session, wait) => Place.alone({ name, session, value: '' }, wait));
}

async function lockAlone(
  kv: KvClient,
  options: LockOptions,
  take: (session: Session, wait: WaitOptions) => Promise<Place>,
): Promise<HeldLock> {
  checkNames(options, sessionNames);
  const { ttlSeconds, timers = systemTimers } = options;
  const patience = new Patience(options, timers);
  const { signal } = patience;
  try {
    const open = () => openSession(kv, { ttlSeconds, timers, signal });
    // One that was granted without anybody hearing of it has no keys, and ends by itself.
    const session = await persist(open, { timers, signal, evenUnknown: true });
    try {
      return new HeldLock(await take(session, { signal }), () => session.close());
    } catch (error) {
      session.close().catch(() => undefined);
      throw error;
    }
  } catch (error) {
    throw patience.reasonOf(error);
  } finally {
    patience.end();
  }
}
