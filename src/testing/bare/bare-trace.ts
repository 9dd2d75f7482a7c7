/** What happened in a run of bare cores: one rolling hash over numbers, and the newest lines. */
import { TraceLog } from '../trace-log.js';

/** What an event was; the order is part of the trace hash. */
const kinds = [
  'deliver',
  'tick',
  'append',
  'apply',
  'fetch',
  'go-on',
  'ready',
  'report',
  'propose',
  'read',
  'restart',
  'upkeep',
  'fault',
] as const;

/**
 * Name of a kind of event.
 *
 * @since 0.1.0
 */
export type BareEvent = (typeof kinds)[number];

/**
 * Number of each kind of event, as the queue keeps it.
 *
 * @since 0.1.0
 */
export const eventKind = Object.freeze(
  Object.fromEntries(kinds.map((name, at) => [name, at])),
) as Readonly<Record<BareEvent, number>>;

/**
 * The trace of a run.
 *
 * @since 0.1.0
 */
export class BareTrace {
  readonly #log = new TraceLog(0);
  readonly #linesMax: number;
  readonly #ring: string[] = [];
  #count = 0;

  /**
   * @param linesMax - how many of the newest lines to keep; they cost time
   */
  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  get hash(): string {
    return this.#log.hash;
  }

  /** The newest lines, oldest first. */
  get lines(): readonly string[] {
    const from = this.#count % this.#linesMax;
    return this.#count <= this.#linesMax
      ? this.#ring
      : [...this.#ring.slice(from), ...this.#ring.slice(0, from)];
  }

  /**
   * Adds an event that was handled.
   *
   * @param timeUs - virtual microseconds
   * @param kind - of {@link eventKind}
   * @param at - position of the member, -1 for nobody
   * @param state - the member's term and commit index afterwards
   */
  add(timeUs: number, kind: number, at: number, state: number): void {
    this.#log.number(timeUs * 256 + kind * 16 + at + 1);
    this.#log.number(state);
  }

  /** Keeps a line, if lines are kept. */
  line(timeUs: number, make: () => string): void {
    if (this.#linesMax === 0) return;
    this.#ring[this.#count % this.#linesMax] = `${(timeUs / 1_000).toFixed(3)}ms ${make()}`;
    this.#count += 1;
  }
}
