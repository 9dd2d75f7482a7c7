/** The disk of the simulator, with what tests write on it beforehand. */
import type { Entry, HardState, LogId, MemberId } from '../../src/raft/index.js';
import { BareDisk } from '../../src/testing/bare/bare-disk.js';

export class MemberStore extends BareDisk {
  /** A store that already holds entries of these terms, from index 1 on. */
  static of(
    voters: readonly MemberId[],
    content: { readonly terms?: readonly number[]; readonly hardState?: HardState },
  ): MemberStore {
    const store = new MemberStore(voters);
    const terms = content.terms ?? [];
    const term = terms[terms.length - 1] ?? 0;
    const entries = entriesOf(terms);
    const hardState = content.hardState ?? { term, vote: 0, commit: 0 };
    for (const image of [store.durable, store.written]) {
      image.take({ entries, hardState, mustSync: true, responses: [] });
    }
    return store;
  }

  /** A store whose log begins behind `base`, with that committed. */
  static behind(base: LogId): MemberStore {
    const store = new MemberStore([]);
    for (const image of [store.durable, store.written]) {
      image.base = base;
      image.hardState = { term: base.term, vote: 0, commit: base.index };
    }
    return store;
  }
}

/** Entries of these terms from `first` on, each with bytes that name its position. */
export function entriesOf(terms: readonly number[], first = 1): Entry[] {
  return terms.map((term, i) => entryOf(term, first + i));
}

export function entryOf(term: number, index: number): Entry {
  const data = new TextEncoder().encode(`${index}@${term}`);
  return Object.freeze({ term, index, type: 'normal', data });
}
