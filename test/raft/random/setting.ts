/** The circumstances of one random run: who there is, how each is set up, how the group begins. */
import { type Random, randomInt } from '../../../src/base/prng.js';
import type { MemberId } from '../../../src/raft/index.js';
import { drawGroupOptions } from '../../../src/testing/bare/core-options.js';
import type { MemberOptions } from '../cluster.js';
import { leaseMsMax } from './clocks.js';
import type { Founding } from './founding.js';

export interface Setting {
  readonly ids: readonly MemberId[];
  readonly founders: readonly MemberId[];
  readonly founding: Founding;
  readonly lazy: boolean;
  /** Whether anything but commands is proposed. */
  readonly churn: boolean;
  readonly options: ReadonlyMap<MemberId, MemberOptions>;
}

export function drawSetting(random: Random): Setting {
  const int = (bound: number): number => randomInt(random, bound);
  const lazy = int(2) === 0;
  const founders = [1, 2, 3, 4, 5].slice(0, 3 + int(3));
  const churn = int(4) > 0;
  // Newcomers have ids on both sides of the founders', since order is seen in messages.
  const offset = churn ? int(3) : 0;
  const ids = churn ? [1, 2, 3, 4, 5, 6, 7] : founders;
  const common = drawGroupOptions(random, leaseMsMax);
  const options = new Map<MemberId, MemberOptions>();
  const mixed = int(4) === 0;
  const someSync = int(3) === 0;
  for (const id of ids) {
    // Some runs mix members with and without pre-vote, as during a migration.
    const preVote = mixed ? int(2) === 0 : (common.preVote ?? true);
    const asyncStorageWrites = !(someSync && int(2) === 0);
    options.set(id, { ...common, preVote, asyncStorageWrites });
  }
  return {
    ids,
    founders: founders.map((id) => id + Math.min(offset, ids.length - founders.length)),
    founding: (['fixed', 'snapshot', 'bootstrap'] as const)[int(3)]!,
    lazy,
    churn,
    options,
  };
}
