/**
 * What the leader knows of one member's log.
 *
 *     1 .. match          acknowledged
 *     match+1 .. next-1   sent, not acknowledged (replicate: optimistically)
 *     next ..             to be sent
 *
 * `probe`: one message at a time until the logs are known to match. `replicate`: a stream, bounded
 * by the inflight window. `snapshot`: a snapshot is on its way, nothing else is sent meanwhile.
 */
import { assert } from '../base/assert.js';
import { Inflights } from './inflights.js';

/** @since 0.1.0 */
export type ProgressState = 'probe' | 'replicate' | 'snapshot';

/** @since 0.1.0 */
export class Progress {
  match: number;
  next: number;
  state: ProgressState = 'probe';
  /** Highest commit index told to the member. */
  sentCommit = 0;
  /** Index of the snapshot on its way; 0 outside `snapshot`. */
  pendingSnapshot = 0;
  /** Heard from since the last quorum check, or new: see reconfigure.ts. */
  recentActive = false;
  /** Messages that the member answered in this leadership. */
  answers = 0;
  /** Wait for an answer or a heartbeat round before sending more (probe, replicate). */
  flowPaused = false;
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

  /** Whether nothing may be sent now. */
  get paused(): boolean {
    return this.flowPaused || this.state === 'snapshot';
  }

  /** The member has answered. */
  hear(): void {
    this.recentActive = true;
    this.answers += 1;
  }

  becomeProbe(): void {
    // Behind a snapshot that may have arrived, the first probe goes after it.
    const next = Math.max(this.match, this.pendingSnapshot) + 1;
    this.#enter('probe');
    this.next = next;
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }

  becomeReplicate(): void {
    this.#enter('replicate');
    this.next = this.match + 1;
  }

  becomeSnapshot(index: number): void {
    this.#enter('snapshot');
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.sentCommit = index;
  }

  /** The snapshot did not arrive: probe where the log is known to match. */
  snapshotFailed(): void {
    this.pendingSnapshot = 0;
    this.becomeProbe();
  }

  #enter(state: ProgressState): void {
    this.state = state;
    this.flowPaused = false;
    this.pendingSnapshot = 0;
    this.fetching = undefined;
    this.inflights.reset();
  }

  /** Accounts for an append message with `count` entries of `bytes` payload. */
  sentEntries(count: number, bytes: number): void {
    assert(this.state !== 'snapshot', 'nothing is sent beside a snapshot');
    if (this.state === 'probe') {
      if (count > 0) this.flowPaused = true;
      return;
    }
    if (count > 0) {
      this.next += count;
      this.inflights.add(this.next - 1, bytes);
    }
    this.flowPaused = this.inflights.full;
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
    this.flowPaused = false;
    return true;
  }

  /**
   * Takes a rejection of the append after `rejected`; false when it is stale. `next` never falls to
   * `match` or below, whatever a late or repeated rejection says (semantics H4), nor behind a
   * snapshot on its way (O12).
   */
  maybeDecrease(rejected: number, hint: number): boolean {
    if (this.state === 'snapshot') return false;
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false;
      this.next = this.match + 1;
    } else {
      if (this.next - 1 !== rejected) return false;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
      this.flowPaused = false;
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
    if (this.state !== 'replicate')
      assert(this.inflights.count === 0, 'only a stream is in flight');
    if (this.state === 'snapshot') {
      assert(this.next === this.pendingSnapshot + 1, 'a stream goes on behind the snapshot');
    } else assert(this.pendingSnapshot === 0, 'no snapshot is on its way');
    let previous = -1;
    for (const index of this.inflights.indexes()) {
      assert(index > previous && index < this.next, 'inflights strictly increasing below next');
      previous = index;
    }
  }
}
