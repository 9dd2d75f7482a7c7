/**
 * Where in the log each segment begins, and so which segments can go. The log can start with a
 * segment when nothing from there on replaces an entry from before it: then the segment's head, which
 * names the entry before it, is all that is ever needed of what was removed.
 */
import { assert } from '../../base/assert.js';
import type { LogId } from '../../raft/types.js';

/** A segment of the log. */
export interface SegmentStart {
  readonly segment: number;
  /** Newest entry when it was begun. */
  readonly position: LogId;
  /** Whether the log may start with it. */
  canStart: boolean;
  /** Whether nothing in the segments before it is part of the log any more. */
  isDetached: boolean;
}

export class SegmentMap {
  #starts: SegmentStart[] = [];

  /** Number of the first segment; 0 when there is none. */
  get first(): number {
    return this.#starts[0]?.segment ?? 0;
  }

  /** Number of the newest segment; 0 when there is none. */
  get newest(): number {
    return this.#starts.at(-1)?.segment ?? 0;
  }

  at(segment: number): SegmentStart | undefined {
    return this.#starts[segment - this.first];
  }

  /**
   * The next segment.
   *
   * @param position - newest entry before it
   * @param canStart - false when an entry behind its head is known to replace one before it
   */
  begin(segment: number, position: LogId, canStart = true): void {
    const { newest } = this;
    assert(newest === 0 || segment === newest + 1, `wal: segment ${segment} after ${newest}`);
    this.#starts.push({ segment, position, canStart, isDetached: false });
  }

  /** An entry at `index` was put in the place of another. */
  replaced(index: number): void {
    for (const start of this.#starts) if (start.position.index >= index) start.canStart = false;
  }

  /** The log was emptied: what is left of it is behind the newest head. */
  detach(): void {
    for (const start of this.#starts) start.isDetached = true;
  }

  /** The last segment the log can start with that keeps everything above `index`, if not the first. */
  startFor(index: number): SegmentStart | undefined {
    const isFree = (start: SegmentStart): boolean =>
      start.canStart && (start.isDetached || start.position.index <= index);
    const found = this.#starts.findLast(isFree);
    return found !== undefined && found.segment > this.first ? found : undefined;
  }

  /** Forgets the segments before `segment`. */
  dropBefore(segment: number): void {
    assert(this.at(segment) !== undefined, `wal: segment ${segment} is not in the log`);
    this.#starts = this.#starts.slice(segment - this.first);
  }
}
