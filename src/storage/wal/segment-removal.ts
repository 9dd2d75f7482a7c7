/**
 * Removes segments that the log no longer starts with. The record that says so is durable before: a
 * crash at any step leaves files that the next open knows to be of no use.
 */
import type { FileSystem } from '../file-system.js';
import { segmentName } from './segment-header.js';

export class SegmentRemoval {
  readonly #fs: FileSystem;
  readonly #dir: string;
  /** Number of the first segment that may still be there. */
  #next: number;
  #running: Promise<void> = Promise.resolve();

  /** @param first - number of the first segment there is */
  constructor(fs: FileSystem, dir: string, first: number) {
    this.#fs = fs;
    this.#dir = dir;
    this.#next = first;
  }

  /**
   * Removes what is before `segment`, behind other calls. One that fails leaves its work to the next.
   *
   * @param isSaid - resolves when the log durably starts with `segment`
   */
  removeBefore(segment: number, isSaid: Promise<void>): Promise<void> {
    const turn = this.#running.then(() => isSaid).then(() => this.#remove(segment));
    this.#running = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when nothing is being removed. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #remove(segment: number): Promise<void> {
    if (this.#next >= segment) return;
    for (let at = this.#next; at < segment; at += 1) {
      await this.#fs.remove(`${this.#dir}/${segmentName(at)}`);
    }
    await this.#fs.syncDirectory(this.#dir);
    this.#next = segment;
  }
}
