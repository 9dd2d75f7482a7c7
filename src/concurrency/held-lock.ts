/** A lock in the hands of its holder. */
import { HeldKey } from './held-key.js';

/**
 * Made by `lock`, `tryLock` and `Mutex`.
 *
 * @since 0.1.0
 */
export class HeldLock extends HeldKey {
  /**
   * Gives the lock up: from the call on `lost` has fired. Resolves when nobody is held up by it any
   * more. If the session's time was over before, it makes one attempt and resolves whatever comes of it.
   * A second call does nothing more than the first; after a failure it tries again.
   *
   * @throws {KontikiError} as every write, if it does not pass by itself
   */
  unlock(): Promise<void> {
    return this._release();
  }
}
