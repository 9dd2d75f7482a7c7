/**
 * Who differs from the majority (DESIGN §4.21). Members tell the leader the hashes of what they held at
 * equal indexes; whoever held something else than a majority of the voters is wrong. A majority of those
 * that answered would not do: of two that differ, the one that happens to be the leader is not right.
 *
 * ```
 *              index 1024   2048                 1024   2048
 *     n1          a           d            n1      a      d     differ, and no majority says who is
 *     n2          a           d            n2      b             right: `nobody` once n3 had its time
 *     n3          b  <- wrong              n3
 * ```
 */
import { limits } from '../base/limits.js';
import { nobody } from '../mvcc/alarm-types.js';
import type { MemberId } from '../node/index.js';
import type { StateHashAt } from './state-hashes.js';

/** Who is compared. @since 0.1.0 */
export interface ComparedGroup {
  /** The voters; of a joint membership both halves, each of which has to agree. */
  readonly quorums: readonly (readonly MemberId[])[];
  /** Voters and learners. */
  readonly members: readonly MemberId[];
  /** Known to be wrong: they vote for nothing, and are not found again. */
  readonly alarmed: ReadonlySet<MemberId>;
}

/** How long members that differ wait for one that could say who is right, in milliseconds. */
const patienceMs = 5_000;

/** @since 0.1.0 */
export class HashComparison {
  readonly #hashes = new Map<MemberId, Map<number, string>>();
  /** Since when some differ without a majority. */
  #openSinceMs: number | undefined;

  /** Takes what a member held; the newest counts. */
  take(member: MemberId, hashes: readonly StateHashAt[]): void {
    let known = this.#hashes.get(member);
    if (known === undefined) {
      known = new Map();
      this.#hashes.set(member, known);
    }
    for (const { index, hash } of hashes) {
      known.delete(index);
      known.set(index, hash);
    }
    for (const index of known.keys()) {
      if (known.size <= limits.stateHashesMax) return;
      known.delete(index);
    }
  }

  /**
   * @param nowMs - monotonic; of time in which this member was there
   * @returns who is wrong, ascending; `nobody` alone: some are, and nobody can say who
   */
  judge(group: ComparedGroup, nowMs: number): readonly MemberId[] {
    for (const member of this.#hashes.keys()) {
      if (!group.members.includes(member)) this.#hashes.delete(member);
    }
    const wrong = new Set<MemberId>();
    const open: Map<string, MemberId[]>[] = [];
    for (const index of this.#indexes()) {
      const holders = this.#holdersAt(index, group);
      if (holders.size < 2) continue;
      const right = [...holders].find(([, members]) => isMajority(members, group));
      if (right === undefined) open.push(holders);
      for (const [hash, members] of holders) {
        if (right === undefined || hash === right[0]) continue;
        for (const member of members) wrong.add(member);
      }
    }
    // What the ones found out explain needs nobody else's word.
    const left = open.filter((holders) => {
      const others = [...holders.values()].filter((members) =>
        members.some((it) => !wrong.has(it)),
      );
      return others.length > 1;
    });
    if (left.length === 0) this.#openSinceMs = undefined;
    else this.#openSinceMs ??= nowMs;
    if (wrong.size > 0) return [...wrong].sort((a, b) => a - b);
    const isOver = nowMs - (this.#openSinceMs ?? nowMs) >= patienceMs;
    return isOver || left.some((holders) => isComplete(holders, group)) ? [nobody] : [];
  }

  #indexes(): ReadonlySet<number> {
    const indexes = new Set<number>();
    for (const hashes of this.#hashes.values())
      for (const index of hashes.keys()) indexes.add(index);
    return indexes;
  }

  #holdersAt(index: number, { alarmed }: ComparedGroup): Map<string, MemberId[]> {
    const holders = new Map<string, MemberId[]>();
    for (const [member, hashes] of this.#hashes) {
      const hash = hashes.get(index);
      if (hash === undefined || alarmed.has(member)) continue;
      const members = holders.get(hash);
      if (members === undefined) holders.set(hash, [member]);
      else members.push(member);
    }
    return holders;
  }
}

function isMajority(members: readonly MemberId[], { quorums }: ComparedGroup): boolean {
  return quorums.every((voters) => {
    const count = voters.filter((voter) => members.includes(voter)).length;
    return 2 * count > voters.length;
  });
}

/** Every voter has said what it held: nobody is left who could decide. */
function isComplete(
  holders: ReadonlyMap<string, readonly MemberId[]>,
  { quorums, alarmed }: ComparedGroup,
): boolean {
  const told = new Set([...holders.values()].flat());
  return quorums.every((voters) => voters.every((voter) => told.has(voter) || alarmed.has(voter)));
}
