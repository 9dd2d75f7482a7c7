/**
 * How fast a member sends snapshots, to all that need one together: what they take of the network and of
 * the disk is missing where writes are replicated.
 */
import { kontikiError } from '../base/errors.js';

/** @since 0.1.0 */
export class SnapshotPace {
  readonly #bytesPerMs: number;
  readonly #burstBytes: number;
  readonly #chunkBytes: number;
  readonly #nowMs: () => number;
  /** Those that were told to ask again, who waits longest first. */
  readonly #waiting = new Set<object>();
  #atMs: number;
  #left: number;

  /**
   * @param bytesPerSecond - no less than a chunk
   * @param chunkBytes - of the longest chunk
   * @param nowMs - monotonic
   * @throws {KontikiError} OPTIONS_INVALID
   */
  constructor(bytesPerSecond: number, chunkBytes: number, nowMs: () => number) {
    if (!(bytesPerSecond >= chunkBytes)) {
      const expected = `snapshotBytesPerSecond of at least ${chunkBytes}`;
      throw kontikiError('OPTIONS_INVALID', `node: expected ${expected}, got ${bytesPerSecond}`);
    }
    this.#bytesPerMs = bytesPerSecond / 1_000;
    // Streams look again with each tick of the node: what they did not take by then must not be lost.
    this.#burstBytes = Math.max(bytesPerSecond / 4, chunkBytes);
    this.#chunkBytes = chunkBytes;
    this.#nowMs = nowMs;
    this.#atMs = nowMs();
    this.#left = this.#burstBytes;
  }

  /**
   * Asks to send now; to be asked again later otherwise. A chunk is left to each of those that wait longer:
   * who happens to ask first each time would have all of a slow pace.
   *
   * @param bytes - of one chunk
   * @param stream - who asks; waits until it may send, or leaves
   */
  take(bytes: number, stream: object): boolean {
    const now = this.#nowMs();
    this.#left = Math.min(this.#burstBytes, this.#left + (now - this.#atMs) * this.#bytesPerMs);
    this.#atMs = now;
    this.#waiting.add(stream);
    const before = [...this.#waiting].indexOf(stream);
    if (this.#left < bytes + before * this.#chunkBytes) return false;
    this.#left -= bytes;
    this.#waiting.delete(stream);
    return true;
  }

  /** Has nothing to send any more, or not now. */
  leave(stream: object): void {
    this.#waiting.delete(stream);
  }
}
