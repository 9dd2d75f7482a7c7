/**
 * `kontiki/concurrency`: sessions, locks and elections on any `KvClient`, in etcd's key layouts.
 *
 * @module
 */
export { Election } from './election.js';
export { HeldKey } from './held-key.js';
export { HeldLock } from './held-lock.js';
export { LeaderWatch, type LeaderWatchParts } from './leader-watch.js';
export { Leadership } from './leadership.js';
export { type LockOptions, lock, tryLock } from './lock.js';
export { Mutex } from './mutex.js';
export type { WaitOptions } from './patience.js';
export { openSession, Session, type SessionOptions } from './session.js';
export type { Guard } from './steps.js';
