/**
 * What a watcher that is behind must still read from history, slice by slice. A slice is bounded in
 * changes, and its bound follows what the last slice weighed, so that large values make short ones.
 */
import { assert } from '../base/assert.js';
import { limits } from '../base/limits.js';
import type { History, RevisionEvents } from './history-query.js';
import { historySlice, nextLimit } from './range-slices.js';
import type { CatchUp } from './watcher.js';

/** Changes of the first slice: its values may all be of the largest size. */
const firstLimit = 64;

/**
 * A watcher's, while it is behind.
 *
 * @since 0.1.0
 */
export class WatchGap {
  /** First revision that must come from history. */
  revision: number;
  /** First position inside it; above 0 after a piece. */
  sub = 0;
  /** First revision that history need not serve; `undefined` unless catching up. */
  end: number | undefined = undefined;
  /** While catching up: whether the queue still has everything from {@link end} on. */
  isQueueWhole = true;
  /** The slice that is being read. */
  request: CatchUp | undefined = undefined;
  /** Changes to read at a time. */
  limit: number = Math.min(firstLimit, limits.historyChunkMax);
  /** Revision of which a piece was delivered that said "more follows". */
  #openPiece: number | undefined = undefined;

  /** @param revision - the first one that must come from history */
  constructor(revision: number) {
    this.revision = revision;
  }

  /** Whether the queue takes what comes now. */
  get takesLive(): boolean {
    return this.end !== undefined && this.isQueueWhole;
  }

  /** The state below has changed: what is being read is void, and the end is to be set anew. */
  restart(): void {
    this.end = undefined;
    this.request = undefined;
  }

  /**
   * Moves on past a slice.
   *
   * @returns what to deliver
   */
  advance(request: CatchUp, history: History): readonly RevisionEvents[] {
    const { nextRevision, nextSub } = history;
    const { fromRevision, fromSub = 0, upTo } = request;
    const isFurther =
      nextRevision > fromRevision || (nextRevision === fromRevision && nextSub > fromSub);
    assert(isFurther, `history goes on after ${fromRevision}.${fromSub}`);
    assert(nextRevision <= upTo + 1, `history ends where asked: ${nextRevision} <= ${upTo + 1}`);
    this.request = undefined;
    this.revision = nextRevision;
    this.sub = nextSub;
    this.limit = nextLimit(this.limit, history.sliceBytes, historySlice);
    return this.#closePiece(history.revisions);
  }

  /** An open revision whose rest holds nothing for this watcher still has to end. */
  #closePiece(revisions: readonly RevisionEvents[]): readonly RevisionEvents[] {
    const open = this.#openPiece;
    if (open === undefined) {
      const last = revisions.at(-1);
      if (last?.isPart === true) this.#openPiece = last.revision;
      return revisions;
    }
    if (open === this.revision) return revisions;
    this.#openPiece = undefined;
    return revisions.length > 0 ? revisions : [{ revision: open, events: [] }];
  }
}
