/**
 * How far `kontiki sim` is: one line that is written over on a terminal, a line now and then elsewhere.
 */
import type { CommandContext, Testing } from './command.js';

/** Where lines stay, one after so long, in milliseconds. */
const pauseMs = 10_000;

/** Marks told of by name that no seed reached. */
const missingTold = 6;

export class SimProgress {
  readonly #totals: InstanceType<Testing['SimTotals']>;
  readonly #about: {
    readonly name: string;
    readonly first: number;
    readonly marks: readonly string[];
  };
  readonly #context: CommandContext;
  readonly #startMs: number;
  #toldMs: number;

  /**
   * @param totals - of the runs so far
   * @param about - name of the profile, first seed, and the marks that its runs can reach
   */
  constructor(
    totals: InstanceType<Testing['SimTotals']>,
    about: { readonly name: string; readonly first: number; readonly marks: readonly string[] },
    context: CommandContext,
  ) {
    this.#totals = totals;
    this.#about = about;
    this.#context = context;
    this.#startMs = context.clock.monotonicMs();
    this.#toldMs = this.#startMs;
  }

  /** After each run. */
  tell(): void {
    const { clock, print, update } = this.#context;
    if (update !== undefined) return update(this.#line());
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#toldMs < pauseMs) return;
    this.#toldMs = nowMs;
    print(this.#line());
  }

  /** After the last run. */
  end(): void {
    const { print, update } = this.#context;
    update?.('');
    print(this.#line());
    const missing = this.#totals.missing(this.#about.marks);
    if (missing.length === 0) return;
    const named = missing.slice(0, missingTold).join(', ');
    const more = missing.length > missingTold ? ` and ${missing.length - missingTold} more` : '';
    print(`not reached: ${named}${more}`);
  }

  #line(): string {
    const { runs, simulatedMs, violations } = this.#totals;
    const { name, first, marks } = this.#about;
    const realMs = Math.max(1, this.#context.clock.monotonicMs() - this.#startMs);
    const reached = marks.length - this.#totals.missing(marks).length;
    return [
      `${name}, seeds ${first} to ${first + runs - 1}`,
      `${span(simulatedMs)} simulated`,
      `${(simulatedMs / realMs).toFixed(1)} x real time`,
      `${reached} of ${marks.length} marks`,
      `${violations.length} violations`,
    ].join(', ');
  }
}

function span(ms: number): string {
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms < 3_600_000 ? `${(ms / 60_000).toFixed(1)} min` : `${(ms / 3_600_000).toFixed(2)} h`;
}
