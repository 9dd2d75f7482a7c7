/** The network between bare members: one path per direction, each with its own keyed randomness. */
import { type Random, randomInt } from '../../base/prng.js';
import { SimPath } from '../sim-path.js';
import type { BareFaults } from './bare-faults.js';

interface Path {
  readonly path: SimPath;
  /** When the last message arrives, for paths that keep the order. */
  lastUs: number;
}

/**
 * Decides when messages arrive; carries none.
 *
 * @since 0.1.0
 */
export class BareNetwork {
  readonly #count: number;
  readonly #paths: Path[] = [];

  /**
   * @param seed - of the run
   * @param count - of members; they are named by their positions here
   */
  constructor(seed: number, count: number) {
    this.#count = count;
    for (let from = 0; from < count; from += 1) {
      for (let to = 0; to < count; to += 1) {
        const path = new SimPath(seed, { from: `${from}`, to: `${to}` });
        this.#paths.push({ path, lastUs: 0 });
      }
    }
  }

  /** Sets delays and losses of every path. */
  configure(faults: BareFaults): void {
    const { delayMinUs, delayMeanUs, dropRate, duplicateRate, reorder } = faults;
    for (const { path } of this.#paths) {
      path.configure({ delayMinUs, delayMeanUs, dropRate, duplicateRate, reorder });
    }
  }

  #path(from: number, to: number): Path {
    return this.#paths[from * this.#count + to] as Path;
  }

  /** Whether nothing gets through in a direction. */
  isCut(from: number, to: number): boolean {
    return this.#path(from, to).path.blocked;
  }

  /** Whether the next message is lost. */
  loses(from: number, to: number): boolean {
    const { path } = this.#path(from, to);
    return path.drops() || path.blocked;
  }

  /** Whether the next message comes twice. */
  doubles(from: number, to: number): boolean {
    return this.#path(from, to).path.duplicates();
  }

  /** When a message that leaves now arrives, in virtual microseconds. */
  arrivalUs(from: number, to: number, nowUs: number): number {
    const path = this.#path(from, to);
    const arrivalUs = nowUs + path.path.delayUs();
    if (path.path.reorder) return arrivalUs;
    path.lastUs = Math.max(path.lastUs, arrivalUs);
    return path.lastUs;
  }

  /** Cuts paths at random: a side of the group off, one way only, or single pairs. */
  cut(random: Random, leader: number): void {
    this.heal();
    const kind = randomInt(random, 4);
    const isApart: boolean[] = [];
    for (let at = 0; at < this.#count; at += 1) {
      const draw = randomInt(random, 2) === 0;
      isApart.push(kind === 0 && leader >= 0 ? at === leader : draw);
    }
    for (let from = 0; from < this.#count; from += 1) {
      for (let to = 0; to < this.#count; to += 1) {
        const pair = randomInt(random, 3) === 0;
        const { path } = this.#path(from, to);
        if (kind === 3) path.blocked = pair;
        else if (kind === 2) path.blocked = isApart[from] === true && isApart[to] !== true;
        else path.blocked = isApart[from] !== isApart[to];
      }
    }
  }

  heal(): void {
    for (const { path } of this.#paths) path.blocked = false;
  }
}
