/**
 * Turns for cursors and writes of an engine whose cursors do not hold on to one moment: IndexedDB
 * reads each chunk in a transaction of its own, so a write between two chunks would show.
 */
import { assert } from '../base/assert.js';
import { Deferred } from '../base/deferred.js';

/**
 * Lets a write start only while no cursor is open, and a cursor read only while no write runs.
 *
 * Cursors go first: one that opens while a write is still waiting reads at once. The other order
 * would lock up a caller that opens a second cursor before it closes its first. A cursor held open
 * for long (a snapshot being streamed) therefore holds up writes, never reads.
 *
 * @since 0.1.0
 */
export class TurnGate {
  #cursors = 0;
  #waiting: Deferred<void> | undefined;
  #writing: Promise<void> | undefined;

  /** Counts a cursor in. @returns what it must await before it reads; `undefined` for nothing */
  enter(): Promise<void> | undefined {
    this.#cursors += 1;
    return this.#writing;
  }

  /** Counts a cursor out. */
  leave(): void {
    assert(this.#cursors > 0, 'a cursor leaves once');
    this.#cursors -= 1;
    if (this.#cursors === 0) this.#waiting?.resolve();
  }

  /** Runs `write` when its turn comes. One at a time. */
  async write(write: () => Promise<void>): Promise<void> {
    assert(this.#waiting === undefined && this.#writing === undefined, 'writes never overlap');
    while (this.#cursors > 0) {
      this.#waiting = new Deferred();
      await this.#waiting.promise;
      this.#waiting = undefined;
    }
    const done = new Deferred<void>();
    this.#writing = done.promise;
    try {
      await write();
    } finally {
      this.#writing = undefined;
      done.resolve();
    }
  }
}
