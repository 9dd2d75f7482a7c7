/** The table of `npm run mutants -- --sim`. */
import type { Hunt } from './hunt.js';
import { missingRows } from './missing-rows.js';
import type { SimDefect } from './sim-defect.js';

/** A defect and what came of each range of seeds. */
export interface SimVerdict {
  readonly defect: SimDefect;
  readonly hunts: readonly Hunt[];
}

/** Middle number of seeds to the kill; `undefined` when half of the ranges or more did not notice. */
export function medianSeeds({ hunts }: SimVerdict): number | undefined {
  const seeds = hunts.map((each) => each.seeds ?? Infinity).sort((a, b) => a - b);
  const median = seeds[Math.floor((seeds.length - 1) / 2)] ?? Infinity;
  return median === Infinity ? undefined : median;
}

/**
 * The report as Markdown.
 *
 * @param seedsMax - of each range
 */
export function reportOf(verdicts: readonly SimVerdict[], seedsMax: number): string {
  const killed = verdicts.filter((verdict) => medianSeeds(verdict) !== undefined);
  const rows = verdicts.map((verdict) => {
    const { defect, hunts } = verdict;
    const killer = hunts.find((each) => each.killer !== undefined)?.killer;
    const seeds = medianSeeds(verdict) ?? `> ${seedsMax}`;
    const found = killer === undefined ? (defect.equivalent ?? '') : `seed ${killer.seed}`;
    return `| ${defect.name} | ${defect.source} | ${seeds} | ${killer?.id ?? '-'} | ${found} |`;
  });
  return [
    '# Bugs put into the whole stack, and seeds until the simulator notices',
    '',
    `${killed.length} of ${verdicts.length} killed; ranges of up to ${seedsMax} seeds of 20 simulated`,
    'seconds; with several ranges the median of them.',
    '',
    '| defect | source | seeds | violation | first seen |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '## Rows of the incident list without a defect here',
    '',
    ...missingRows.map(({ row, why }) => `- ${row}: ${why}`),
    '',
  ].join('\n');
}
