/** What the writer of the crash matrix writes: anybody can say what belongs at an index. */
import type { Entry } from '../../src/raft/types.js';

/** Segments of a few dozen entries, so that a kill meets all that happens to segments. */
export const walOptions = { voters: [1], segmentBytes: 24 * 1024, preallocateBytes: 8 * 1024 };

export function walEntry(index: number): Entry {
  const length = (index * 7_919) % 1_500;
  const data = Uint8Array.from({ length }, (_, at) => (index * 31 + at * 7) & 0xff);
  return { term: 1, index, type: 'normal', data };
}
