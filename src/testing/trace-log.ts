/**
 * What happened in a run, as one rolling hash and the last few lines. Two runs of one seed are equal
 * exactly if their hashes are; the lines are for the person who reads a failure.
 */
import { finish32, hashText, mix32 } from './sim-hash.js';

/**
 * A fact of a trace line; numbers are integers.
 *
 * @since 0.1.0
 */
export type TraceDetail = number | string;

interface TraceLine {
  readonly timeUs: number;
  readonly node: string;
  readonly kind: string;
  readonly details: readonly TraceDetail[];
}

const textHashesMax = 4_096;

/**
 * Two 32-bit lanes of hash, and a ring of lines.
 *
 * @since 0.1.0
 */
export class TraceLog {
  readonly #linesMax: number;
  readonly #ring: TraceLine[] = [];
  readonly #textHashes = new Map<string, number>();
  #count = 0;
  #laneA = 0x243f6a88;
  #laneB = 0x13198a2e;

  /**
   * @param linesMax - how many of the newest lines to keep; 0 keeps none
   */
  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  /** The hash so far: 16 hexadecimal digits. */
  get hash(): string {
    const hex = (lane: number): string => finish32(lane).toString(16).padStart(8, '0');
    return hex(this.#laneA) + hex(this.#laneB);
  }

  /**
   * Takes a number into the hash without a line.
   *
   * @param value - a safe integer
   */
  number(value: number): void {
    const high = Math.floor(value / 2 ** 32);
    this.#laneA = mix32(mix32(this.#laneA, value), high);
    this.#laneB = mix32(mix32(this.#laneB, high ^ 0x5bd1e995), value);
  }

  /**
   * Adds a line.
   *
   * @param line - virtual time in microseconds, who, what, and its facts
   */
  add(line: TraceLine): void {
    this.number(line.timeUs);
    this.#text(line.kind);
    this.#text(line.node);
    for (const detail of line.details) {
      if (typeof detail === 'number') this.number(detail);
      else this.#text(detail);
    }
    if (this.#linesMax > 0) this.#ring[this.#count % this.#linesMax] = line;
    this.#count += 1;
  }

  /** The newest lines, oldest first: `12.345ms n1 fs.sync data/wal/1`. */
  lines(): string[] {
    const start = Math.max(0, this.#count - this.#ring.length);
    const lines: string[] = [];
    for (let at = start; at < this.#count; at += 1) {
      lines.push(format(this.#ring[at % this.#linesMax] as TraceLine));
    }
    return lines;
  }

  #text(text: string): void {
    let hash = this.#textHashes.get(text);
    if (hash === undefined) {
      hash = hashText(text);
      if (this.#textHashes.size >= textHashesMax) this.#textHashes.clear();
      this.#textHashes.set(text, hash);
    }
    this.#laneA = mix32(this.#laneA, hash);
    this.#laneB = mix32(this.#laneB, ~hash);
  }
}

function format({ timeUs, node, kind, details }: TraceLine): string {
  return [`${(timeUs / 1_000).toFixed(3)}ms`, node, kind, ...details].join(' ');
}
