/** The table of `npm run mutants -- --sim`. */
import { missingRows } from './missing-rows.js';
import type { KeptHunt } from './results.js';
import type { SimDefect } from './sim-defect.js';

/** A defect and what came of each range of seeds. */
export interface SimVerdict {
  readonly defect: SimDefect;
  readonly hunts: readonly KeptHunt[];
}

/** Whether no seed of any range noticed, and nothing else does. */
export function isSurvivor({ defect, hunts }: SimVerdict): boolean {
  const { elsewhere, equivalent } = defect;
  return (elsewhere ?? equivalent) === undefined && medianSeeds({ hunts }) === undefined;
}

/** Middle number of seeds to the kill; `undefined` when half of the ranges or more did not notice. */
export function medianSeeds({ hunts }: Pick<SimVerdict, 'hunts'>): number | undefined {
  const seeds = hunts.map((each) => each.seeds ?? Infinity).sort((a, b) => a - b);
  const median = seeds[Math.floor((seeds.length - 1) / 2)] ?? Infinity;
  return median === Infinity ? undefined : median;
}

/** The report as Markdown. */
export function reportOf(verdicts: readonly SimVerdict[]): string {
  const killed = verdicts.filter(({ hunts }) => medianSeeds({ hunts }) !== undefined);
  const equivalent = verdicts.filter(({ defect }) => defect.equivalent !== undefined);
  const survivors = verdicts.filter(isSurvivor);
  const elsewhere = verdicts.length - killed.length - equivalent.length - survivors.length;
  return [
    '# Bugs put into the whole stack, and seeds until the simulator notices',
    '',
    `${killed.length} of ${verdicts.length} killed, ${equivalent.length} argued to be equivalent, ` +
      `${elsewhere} killed by a test alone, ${survivors.length} not killed so far.`,
    'Seeds of 20 simulated seconds, disjoint ranges, each up to its first kill; of several ranges the median counts.',
    '',
    '| defect | source | median | ranges | violation | first seen |',
    '|---|---|---|---|---|---|',
    ...verdicts.map(rowOf),
    '',
    '## Not killed so far',
    '',
    ...(survivors.length === 0 ? ['None.'] : survivors.map(survivorOf)),
    '',
    '## Rows of the incident list without a defect here',
    '',
    ...missingRows.map(({ row, why }) => `- ${row}: ${why}`),
    '',
  ].join('\n');
}

function rowOf({ defect, hunts }: SimVerdict): string {
  const killer = hunts.find((each) => each.killer !== undefined)?.killer;
  const each = hunts.map(({ seeds, count }) => seeds ?? `> ${count}`).join(', ');
  const median = medianSeeds({ hunts }) ?? (isSurvivor({ defect, hunts }) ? 'survived' : '-');
  const found = killer === undefined ? reasonOf(defect) : `seed ${killer.seed}`;
  const what = killer?.id ?? '-';
  return `| ${defect.name} | ${defect.source} | ${median} | ${each || '-'} | ${what} | ${found} |`;
}

function reasonOf({ elsewhere, equivalent }: SimDefect): string {
  return equivalent === undefined ? (elsewhere ?? '') : `equivalent: ${equivalent}`;
}

function survivorOf({ defect, hunts }: SimVerdict): string {
  const run = hunts.reduce((sum, { count, seeds }) => sum + (seeds ?? count), 0);
  return `- ${defect.name} (${defect.source}): ${run} seeds`;
}
