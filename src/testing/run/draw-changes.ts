/** Draws when the membership of a group changes in a run, and how. */
import { type Random, randomInt } from '../../base/prng.js';
import { type ChangeKind, changeKinds, drawChangeOf } from '../changes/change.js';
import type { ScheduledChange } from './scenario.js';

/** Which come how often: those that keep the size of the group are worth most. */
const shares: Readonly<Record<ChangeKind, number>> = {
  'leader-moved': 3,
  'member-added': 4,
  'member-moved': 2,
  'member-removed': 4,
  'member-replaced': 4,
  'member-wiped': 3,
};

const weighted = changeKinds.flatMap((kind) => Array.from({ length: shares[kind] }, () => kind));

/**
 * @param random - decides
 * @param options.members - names of the founders
 * @param options.durationMs - of the run
 * @param options.everyMs - average virtual milliseconds between two
 * @since 0.1.0
 */
export function drawChanges(
  random: Random,
  options: {
    readonly members: readonly string[];
    readonly durationMs: number;
    readonly everyMs: number;
  },
): readonly ScheduledChange[] {
  const { members, durationMs, everyMs } = options;
  const changes: ScheduledChange[] = [];
  for (let atMs = 0; ; ) {
    atMs += 1 + randomInt(random, 2 * everyMs);
    if (atMs >= durationMs) return changes;
    const kind = weighted[randomInt(random, weighted.length)] as ChangeKind;
    changes.push({ atMs, change: drawChangeOf(kind, random, members) });
  }
}
