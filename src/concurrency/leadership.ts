/** An election that was won, in the hands of the winner. */
import type { Bytes, CallOptions } from '../store/kv-client.js';
import { HeldKey } from './held-key.js';
import { put } from './steps.js';

/**
 * Made by `Election.campaign`.
 *
 * @since 0.1.0
 */
export class Leadership extends HeldKey {
  /**
   * Says something else than the campaign did; observers hear of it.
   *
   * @throws {KontikiError} OWNERSHIP_LOST, when it leads no more; and as every write
   */
  async proclaim(value: Bytes, options: CallOptions = {}): Promise<void> {
    const { kv, lease } = this._session;
    this.lost.throwIfAborted();
    const txn = kv
      .txn()
      .if(this.isOwner)
      .do(put(this.key, value, lease.id));
    const { succeeded } = await txn.commit(options);
    if (!succeeded) throw this._lose(`'${this.key}' was deleted`);
  }

  /**
   * Lets another one lead: from the call on `lost` has fired. Resolves when the next in line can. If the
   * session's time was over before, it makes one attempt and resolves whatever comes of it. A second call
   * does nothing more than the first; after a failure it tries again.
   *
   * @throws {KontikiError} as every write, if it does not pass by itself
   */
  resign(): Promise<void> {
    return this._release();
  }
}
