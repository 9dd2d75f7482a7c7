/**
 * What the leader knows of one member's log.
 *
 *     1 .. match          acknowledged
 *     match+1 .. next-1   sent, not acknowledged (replicate: optimistically)
 *     next ..             to be sent
 *
 * `probe`: one message at a time until the logs are known to match. `replicate`: a stream, bounded
 * by the inflight window. (`snapshot` joins them together with log truncation.)
 */
import { assert } from '../base/assert.js';
import { Inflights } from './inflights.js';

/** @since 0.1.0 */
export type ProgressState = 'probe' | 'replicate';

/** @since 0.1.0 */
export class Progress {
  match: number;
  next: number;
  state: ProgressState = 'probe';
  /** Highest commit index told to the member. */
  sentCommit = 0;
  /** Heard from since the last quorum check. */
  recentActive = false;
  /** Wait for an answer or a heartbeat round before sending more. */
  paused = false;
  /** First index of a read that the log answered `pending`; nothing is sent until it is there. */
  fetching: number | undefined = undefined;
  readonly inflights: Inflights;

  constructor(options: {
    readonly match: number;
    readonly next: number;
    readonly inflightMessagesMax: number;
    readonly inflightBytesMax: number;
  }) {
    this.match = options.match;
    this.next = options.next;
    this.inflights = new Inflights(options.inflightMessagesMax, options.inflightBytesMax);
  }

  becomeProbe(): void {
    this.#enter('probe');
    this.next = this.match + 1;
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.#enter('replicate');
    this.next = this.match + 1;
  }

  #enter(state: ProgressState): void {
    this.state = state;
    this.paused = false;
    this.fetching = undefined;
    this.inflights.reset();
  }

  /** Accounts for an append message with `count` entries of `bytes` payload. */
  sentEntries(count: number, bytes: number): void {
    if (this.state === 'probe') {
      if (count > 0) this.paused = true;
      return;
    }
    if (count > 0) {
      this.next += count;
      this.inflights.add(this.next - 1, bytes);
    }
    this.paused = this.inflights.full;
  }

  /** Whether telling the member `commit` would let it commit more of what it was sent. */
  canBumpCommit(commit: number): boolean {
    return commit > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** Takes an acknowledgement up to `index`; false when it says nothing new. */
  maybeUpdate(index: number): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.paused = false;
    return true;
  }

  /**
   * Takes a rejection of the append after `rejected`; false when it is stale. `next` never falls to
   * `match` or below, whatever a late or repeated rejection says (semantics H4).
   */
  maybeDecrease(rejected: number, hint: number): boolean {
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
    } else {
      if (this.next - 1 !== rejected) return false;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
      this.paused = false;
    }
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    return true;
  }

  /** The ordered relations of this progress; `lastIndex` is the leader's. */
  check(lastIndex: number): void {
    assert(
      this.match >= 0 && this.match < this.next && this.next <= lastIndex + 1,
      `0 <= match ${this.match} < next ${this.next} <= last ${lastIndex} + 1`,
    );
    if (this.state === 'probe') assert(this.inflights.count === 0, 'probe: nothing in flight');
    let previous = -1;
    for (const index of this.inflights.indexes()) {
      assert(index > previous && index < this.next, 'inflights strictly increasing below next');
      previous = index;
    }
  }
}
