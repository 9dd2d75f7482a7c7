/**
 * Majority arithmetic over a set of voters. Pure, usable alone.
 */
import type { MemberId } from './types.js';

/** Outcome of an election so far. @since 0.1.0 */
export type VoteResult = 'won' | 'pending' | 'lost';

/**
 * The highest index that a majority of `voters` has acknowledged. An empty set commits everything
 * (`Infinity`), so that an absent half of a joint configuration does not count.
 *
 * @param voters - distinct ids
 * @param acknowledged - index each voter has acknowledged; `undefined` counts as 0
 * @since 0.1.0
 */
export function committedIndex(
  voters: readonly MemberId[],
  acknowledged: (id: MemberId) => number | undefined,
): number {
  if (voters.length === 0) return Infinity;
  const sorted: number[] = [];
  for (const id of voters) {
    // Insertion sort: voters are few, and this runs once per acknowledgement.
    const index = acknowledged(id) ?? 0;
    let at = sorted.length;
    while (at > 0 && (sorted[at - 1] as number) > index) {
      sorted[at] = sorted[at - 1] as number;
      at -= 1;
    }
    sorted[at] = index;
  }
  return sorted[voters.length - majority(voters.length)] as number;
}

/**
 * Result of a vote. An empty set is won.
 *
 * @param voters - distinct ids
 * @param votes - answers so far; ids outside `voters` do not count
 * @since 0.1.0
 */
export function voteResult(
  voters: readonly MemberId[],
  votes: ReadonlyMap<MemberId, boolean>,
): VoteResult {
  if (voters.length === 0) return 'won';
  let granted = 0;
  let missing = 0;
  for (const id of voters) {
    const vote = votes.get(id);
    if (vote === undefined) missing += 1;
    else if (vote) granted += 1;
  }
  const needed = majority(voters.length);
  if (granted >= needed) return 'won';
  return granted + missing >= needed ? 'pending' : 'lost';
}

/** Votes or acknowledgements that make a majority of `count` voters. @since 0.1.0 */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}
