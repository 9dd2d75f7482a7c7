/**
 * What was measured, by load and system.
 */
import { median } from '../median.js';
import type { LoadResult, LoadShape } from './closed-loop.js';

/** Who was measured. */
export type Subject = 'kontiki' | 'npm etcd3' | 'etcd, Go client';

/** Operation and number of callers. */
export type Title = `${LoadShape['operation']}, ${number}${'' | ', busy pool'}`;

export type Results = Map<Title, ReadonlyMap<Subject, LoadResult>>;

/** Each figure's median over rounds. */
export function medianOf(rounds: readonly LoadResult[]): LoadResult {
  return {
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
  };
}
