/**
 * What a watcher holds that its consumer has not taken yet. It exists only while there is something.
 */
import type { HeldRevision } from './held-revision.js';
import type { Watcher } from './watcher.js';

/**
 * A watcher's; filled and emptied by the buffers, which count what all queues hold.
 *
 * @since 0.1.0
 */
export class WatchQueue {
  readonly watcher: Watcher;
  /** In order and whole. */
  readonly revisions: HeldRevision[] = [];
  /** Of all revisions together. */
  events = 0;
  /** Neighbours in the order queues began: the buffers'. */
  _slower: WatchQueue | undefined = undefined;
  _faster: WatchQueue | undefined = undefined;

  /** @param watcher - whose it is */
  constructor(watcher: Watcher) {
    this.watcher = watcher;
  }

  /** The first revision in it. */
  get firstRevision(): number | undefined {
    return this.revisions[0]?.revision;
  }
}
