/**
 * Option `history` of `openStore`: how far back a store can be read and watched.
 */
import { type Duration, parseDuration } from '../base/duration.js';
import type { HistoryKeep } from '../store/history-keep.js';

/** @since 0.1.0 */
export interface HistoryOptions {
  /**
   * What was current in the last so many milliseconds, or in a span such as `'1h'`, of a second to 68 years;
   * or the newest `revisions` of them, 1 or more; or `'all'`.
   */
  readonly keep: Duration | { readonly revisions: number } | 'all';
}

/**
 * What a store that says nothing keeps.
 *
 * @since 0.1.0
 */
export const usualHistory: HistoryKeep = { ms: 3_600_000 };

const keepMsMin = 1_000;
/** So that a thousandth of it is a delay that a timer takes. */
const keepMsMax = (2 ** 31 - 1) * 1_000;

/**
 * @param keep - `history.keep`, or anything
 * @returns `undefined` for what cannot be meant
 * @since 0.1.0
 */
export function historyKeepOf(keep: unknown): HistoryKeep | undefined {
  if (keep === 'all') return keep;
  if (typeof keep === 'object' && keep !== null) {
    if (Object.keys(keep).join() !== 'revisions') return undefined;
    const { revisions } = keep as { readonly revisions: unknown };
    return Number.isSafeInteger(revisions) && (revisions as number) >= 1
      ? { revisions: revisions as number }
      : undefined;
  }
  const ms = parseDuration(keep);
  return ms !== undefined && ms >= keepMsMin && ms <= keepMsMax ? { ms } : undefined;
}
