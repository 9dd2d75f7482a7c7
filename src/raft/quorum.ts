/**
 * Who is enough: majority arithmetic over a set of voters, and over the two halves of a joint
 * configuration, each of which has to agree (thesis §4.3). Pure, usable alone.
 */
import type { MemberId } from './types.js';

/** Outcome of an election so far. @since 0.1.0 */
export type VoteResult = 'won' | 'pending' | 'lost';

/**
 * The voters of a configuration; every `Configuration` is one. While the configuration is not joint
 * the outgoing half is empty, and an empty half agrees with everything.
 *
 * @since 0.1.0
 */
export interface VoterHalves {
  /** The incoming half, or the only one; distinct ids. */
  readonly voters: readonly MemberId[];
  /** The outgoing half; distinct ids, some of which may be in the incoming half too. */
  readonly votersOutgoing: readonly MemberId[];
}

/** Votes or acknowledgements that make a majority of `count` voters. @since 0.1.0 */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}

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
  const count = voters.length;
  if (count === 0) return Infinity;
  // Insertion sort into an array of the final size: voters are few, and this runs once per
  // acknowledgement, where growing the array would be a third of the cost.
  const sorted = new Array<number>(count);
  for (let filled = 0; filled < count; filled += 1) {
    const index = acknowledged(voters[filled] as MemberId) ?? 0;
    let at = filled;
    while (at > 0 && (sorted[at - 1] as number) > index) {
      sorted[at] = sorted[at - 1] as number;
      at -= 1;
    }
    sorted[at] = index;
  }
  return sorted[count - majority(count)] as number;
}

/**
 * The highest index that a majority of each half has acknowledged; `Infinity` without any voter.
 *
 * @param halves - the voters
 * @param acknowledged - index each voter has acknowledged; `undefined` counts as 0
 * @since 0.1.0
 */
export function jointCommittedIndex(
  halves: VoterHalves,
  acknowledged: (id: MemberId) => number | undefined,
): number {
  const incoming = committedIndex(halves.voters, acknowledged);
  if (halves.votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, committedIndex(halves.votersOutgoing, acknowledged));
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
  return countVotes(voters, (id) => votes.get(id));
}

/**
 * Result of a vote that each half has to win; lost as soon as one half cannot be won any more.
 *
 * @param halves - the voters
 * @param votes - answers so far; ids outside both halves do not count
 * @since 0.1.0
 */
export function jointVoteResult(
  halves: VoterHalves,
  votes: ReadonlyMap<MemberId, boolean>,
): VoteResult {
  const incoming = voteResult(halves.voters, votes);
  const outgoing = voteResult(halves.votersOutgoing, votes);
  if (incoming === outgoing) return incoming;
  return incoming === 'lost' || outgoing === 'lost' ? 'lost' : 'pending';
}

/**
 * Whether the voters heard from are a quorum, so that no other leader can have been elected behind
 * them (thesis §6.2).
 *
 * @param halves - the voters
 * @param isActive - whether the voter was heard from; asked once per half it is in
 * @since 0.1.0
 */
export function isQuorumActive(halves: VoterHalves, isActive: (id: MemberId) => boolean): boolean {
  return (
    countVotes(halves.voters, isActive) === 'won' &&
    countVotes(halves.votersOutgoing, isActive) === 'won'
  );
}

/**
 * Whether one voter alone is the quorum. It need not be the member that asks: one that was removed
 * may still know such a configuration (semantics O2).
 *
 * @since 0.1.0
 */
export function isSingleton(halves: VoterHalves): boolean {
  return halves.voters.length === 1 && halves.votersOutgoing.length === 0;
}

function countVotes(
  voters: readonly MemberId[],
  voteOf: (id: MemberId) => boolean | undefined,
): VoteResult {
  if (voters.length === 0) return 'won';
  let granted = 0;
  let missing = 0;
  for (const id of voters) {
    const vote = voteOf(id);
    if (vote === undefined) missing += 1;
    else if (vote) granted += 1;
  }
  const needed = majority(voters.length);
  if (granted >= needed) return 'won';
  return granted + missing >= needed ? 'pending' : 'lost';
}
