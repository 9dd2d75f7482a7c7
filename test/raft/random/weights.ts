/** How often each action is chosen in a phase of a run. */
import { type Random, randomInt } from '../../../src/base/prng.js';
import type { Setting } from './setting.js';

const usual: Readonly<Record<string, number>> = {
  deliver: 40,
  deliverAny: 15,
  duplicate: 4,
  drop: 4,
  tick: 10,
  append: 25,
  apply: 8,
  fetch: 8,
  propose: 12,
  read: 8,
  campaign: 1,
  silence: 1,
  work: 20,
  crash: 1,
  start: 10,
  flush: 2,
  evict: 3,
  transfer: 1,
  forget: 1,
  unreachable: 1,
  report: 8,
  snapshot: 4,
  compact: 3,
};

/** Left out of a phase at times. */
const optional = [
  'deliverAny',
  'duplicate',
  'drop',
  'crash',
  'evict',
  'campaign',
  'silence',
  'work',
  'append',
  'change',
  'transfer',
  'forget',
  'compact',
  'round',
];

/** Left out of a calm phase. */
const faults = ['deliverAny', 'duplicate', 'drop', 'crash', 'campaign', 'silence'];

/** @param calm - a phase without faults, in which the group gets on */
export function drawWeights(
  random: Random,
  { lazy, churn }: Setting,
  clocks: boolean,
  calm: boolean,
): readonly (readonly [string, number])[] {
  const weights: Record<string, number> = {
    ...usual,
    ready: lazy ? 40 : 0,
    change: churn ? 6 : 0,
    round: calm ? 10 : 3,
    wait: clocks ? 4 : 0,
    pause: clocks ? 2 : 0.2,
    overtake: churn ? 0.5 : 0,
  };
  const left = calm ? faults : optional.filter(() => randomInt(random, 3) === 0);
  for (const name of left) weights[name] = 0;
  const factors = [1, 2, 6];
  return Object.entries(weights).map(([name, weight]) => [
    name,
    // Tenths, so that the rarest are whole numbers too.
    Math.round(10 * weight * factors[randomInt(random, 3)]!),
  ]);
}
