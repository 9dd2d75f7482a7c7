/**
 * What stores give up of their history by themselves (H1): only what was replaced before the span began that
 * they are to keep, by true time.
 */
import { decodeCommand } from '../../codec/command-codec.js';
import type { ApplyResult, Entry } from '../../node/index.js';
import { revisionOf } from './store-watch.js';

/** Most of a span: an entry is seen when its batch is applied, which a slow disk can hold up. */
const tolerance = 0.75;

interface Compaction {
  readonly index: number;
  readonly revision: number;
  readonly atUs: number;
}

/** @since 0.1.0 */
export class HistoryLedger {
  readonly #keepMs: number;
  /** When revisions were first seen, in virtual microseconds. */
  readonly #seenUs = new Map<number, number>();
  readonly #compactions: Compaction[] = [];

  /**
   * @param keepMs - what is to be kept; `Infinity`: nothing is to be given up
   */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  /** Takes an entry that was executed, in the order of the log, when it is first seen. */
  applied({ data, index }: Entry, { value }: ApplyResult, atUs: number): void {
    const { command } = decodeCommand(data);
    const revision = revisionOf(value);
    if (revision === undefined) return;
    if (command.op === 'compact') this.#compactions.push({ index, ...command, atUs });
    // A delete of nothing answers with revision 1, and did not make it: it was always there.
    else if (revision > 1 && !this.#seenUs.has(revision)) this.#seenUs.set(revision, atUs);
  }

  /**
   * Compactions that no client asked for.
   *
   * @param isAsked - whether a client asked for what the entry at an index did
   */
  own(isAsked: (index: number) => boolean): readonly Compaction[] {
    return this.#compactions.filter(({ index }) => !isAsked(index));
  }

  /** What is wrong with one of {@link own}; `undefined` for nothing. */
  finding({ index, revision, atUs }: Compaction): string | undefined {
    const ageMs = (atUs - (this.#seenUs.get(revision) ?? 0)) / 1_000;
    const leastMs = (1 - tolerance) * this.#keepMs;
    if (ageMs >= leastMs) return undefined;
    const kept = `${this.#keepMs} ms are to be kept`;
    return `entry ${index} gave up what was before revision ${revision}, ${ageMs} ms old: ${kept}`;
  }
}
