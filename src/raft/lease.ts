/**
 * A leader's lease: how long what a quorum answered proves that nobody else leads (thesis §6.4.1, with
 * the clock rule of DESIGN §4.18). It counts from when the answered heartbeat was *sent*, by the
 * leader's own monotonic clock; counted ticks prove nothing (semantics O3).
 *
 * The other half is the followers' pledge: for an election timeout after a heartbeat they neither
 * vote for another nor campaign. One that gives no such pledge does not echo the time, and so does
 * not count.
 */
import { jointCommittedIndex, type VoterHalves } from './quorum.js';
import type { MemberId } from './types.js';

/** The lease of one leadership; a new one starts without. @since 0.1.0 */
export class LeaderLease {
  /** When the newest heartbeat was sent that the member answered. */
  readonly #acks = new Map<MemberId, number>();
  #revoked = false;

  /** @param sentAt - ms; 0 from a member that pledges nothing */
  acknowledge(id: MemberId, sentAt: number): void {
    if (sentAt > (this.#acks.get(id) ?? 0)) this.#acks.set(id, sentAt);
  }

  /**
   * Ends it for the rest of the term: a member was told to campaign whatever the others pledged, and
   * the word may reach it late (semantics O4).
   */
  revoke(): void {
    this.#revoked = true;
  }

  /**
   * Whether at `nowMs` nobody else can lead.
   *
   * @param halves - the voters; of this leader's own vote the present counts
   * @param nowMs - the leader's monotonic clock, read for this question; an older time, or 0 for
   *   none, proves nothing
   * @param leaseMs - ms after the sending; 0 for never
   */
  holds(halves: VoterHalves, self: MemberId, nowMs: number, leaseMs: number): boolean {
    if (this.#revoked || leaseMs <= 0) return false;
    const heard = (id: MemberId): number | undefined => (id === self ? nowMs : this.#acks.get(id));
    const since = jointCommittedIndex(halves, heard);
    // Without voters the quorum is empty and proves nothing.
    return since > 0 && since <= nowMs && nowMs < since + leaseMs;
  }
}
