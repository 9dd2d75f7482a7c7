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
    const count = segment - this.#next;
    const paths = Array.from({ length: count }, (_, at) => {
      return `${this.#dir}/${segmentName(this.#next + at)}`;
    });
    await removeSegments(this.#fs, this.#dir, paths);
    this.#next = segment;
  }
}

/**
 * Removes segments before the one that the log starts with. The last of them goes first, durably: what
 * is left before that hole is not read. Without it a removal that is cut short could leave a segment that
 * no log can start with, where entries behind its head replace some before it.
 *
 * @param paths - in the order of the log
 */
export async function removeSegments(
  fs: FileSystem,
  dir: string,
  paths: readonly string[],
): Promise<void> {
  for (const path of paths.slice(-1)) {
    await fs.remove(path);
    await fs.syncDirectory(dir);
  }
  if (paths.length < 2) return;
  for (const path of paths.slice(0, -1)) await fs.remove(path);
  await fs.syncDirectory(dir);
}
