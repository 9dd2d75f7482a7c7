/**
 * Which batches members have forwarded here. A transport delivers at most once, but what a refusal
 * says, that a batch was not taken and never will be, must not rest on somebody else's network: a
 * batch that comes again is passed over, so that it cannot be taken once and refused once.
 */
import { limits } from '../base/limits.js';
import type { MemberId } from '../raft/types.js';

/** Batches of a member that are remembered. */
const windowSize = 4_096;
/** Numbers so far apart are of two lives of the member: each begins at random. */
const lifeSpan = 2 ** 32;

/** Members that are remembered: more than there can be at a time, for ids are never given again. */
const membersMax = 2 * limits.membersMax;

interface Seen {
  newest: number;
  usedAt: number;
  readonly ids: Set<number>;
}

/** @since 0.1.0 */
export class SeenBatches {
  readonly #seen = new Map<MemberId, Seen>();
  #calls = 0;

  /**
   * Takes note of a batch. One that is older than what is remembered counts as lost.
   *
   * @param from - who forwards it
   * @param id - its number, one above that of the batch before
   */
  isNew(from: MemberId, id: number): boolean {
    let seen = this.#seen.get(from);
    if (seen === undefined || Math.abs(id - seen.newest) > lifeSpan) {
      seen = { newest: id, ids: new Set(), usedAt: 0 };
      this.#seen.delete(from);
      this.#seen.set(from, seen);
      this.#forgetOne();
    }
    seen.usedAt = this.#calls += 1;
    const { ids, newest } = seen;
    if (id <= newest - windowSize || ids.has(id)) return false;
    ids.add(id);
    seen.newest = Math.max(newest, id);
    for (const old of ids) {
      if (ids.size <= windowSize) break;
      ids.delete(old);
    }
    return true;
  }

  /** The one that was silent for longest: it is a member no more. */
  #forgetOne(): void {
    if (this.#seen.size <= membersMax) return;
    let oldest: [MemberId, Seen] | undefined;
    for (const each of this.#seen) {
      // The newest was not used yet.
      if (each[1].usedAt > 0 && each[1].usedAt < (oldest?.[1].usedAt ?? Infinity)) oldest = each;
    }
    if (oldest !== undefined) this.#seen.delete(oldest[0]);
  }
}
