/**
 * What a member knows of another one's data directory, and how it tells from that an old copy that was
 * put back: one that has forgotten votes it gave and entries it acknowledged (ADR 0019).
 *
 *     lives of a directory   1 -- 2 -- 3 -- 4        each with a token of its own
 *     lives of a copy             '--- 3'-- 4'- 5'   3' is not 3: another token
 */
import type { MemberId } from '../raft/types.js';
import type { DirectoryLife } from '../transport/transport.js';

/** @since 0.1.0 */
export interface KnownPeer {
  readonly dirId: string;
  /** Number of the newest life of that directory that was met, and its token; 0: of none. */
  readonly life: number;
  readonly token: number;
  /** A term in which it pledged something, and the last entry it acknowledged in that term; 0: none. */
  readonly term: number;
  readonly lastIndex: number;
}

/**
 * What a member is known to have on stable storage: that it was in `term`, and in that term held the
 * leader's log up to `lastIndex`.
 *
 * @since 0.1.0
 */
export interface Pledge {
  readonly id: MemberId;
  readonly term: number;
  /** 0 for a term alone. */
  readonly lastIndex: number;
}

/** Whether `a` says more than `b`. @since 0.1.0 */
export function isBeyond(
  a: Pick<Pledge, 'term' | 'lastIndex'>,
  b: Pick<Pledge, 'term' | 'lastIndex'>,
): boolean {
  return a.term > b.term || (a.term === b.term && a.lastIndex > b.lastIndex);
}

/** Whether it is the life that was met last. @since 0.1.0 */
export function isSameLife(known: KnownPeer, { number, tokens }: DirectoryLife): boolean {
  return number === known.life && tokens[0] === known.token;
}

/**
 * What gives a directory away as an old copy of what was met before; `undefined` for nothing.
 *
 * Lives are told by their tokens, as far back as the peer has them. For a copy of the last life that was
 * met there is what the directory pledged in that life: terms never fall, and within a term a log never
 * becomes shorter than what was acknowledged to its leader.
 *
 * @since 0.1.0
 */
export function copyEvidence(known: KnownPeer, life: DirectoryLife): string | undefined {
  if (isSameLife(known, life)) return undefined;
  if (known.life > 0) {
    if (life.number < known.life) return `life ${life.number} came after life ${known.life}`;
    const token = life.tokens[life.number - known.life];
    if (token !== undefined && token !== known.token)
      return `its life ${known.life} was another one`;
  }
  if (!isBeyond(known, life)) return undefined;
  const [had, has] = [known, life].map(({ term, lastIndex }) => `entry ${lastIndex}, term ${term}`);
  return `it had acknowledged up to ${had}, and began with ${has}`;
}
