/**
 * Facts a node reports. Nothing depends on anyone listening.
 */
import type { KontikiError } from '../base/errors.js';
import type { MemberId, Role } from '../raft/types.js';
import type { TransportIncident } from '../transport/transport.js';
import type { MemberStatus } from './membership.js';
import type { StallFact } from './stalls.js';

/** @since 0.1.0 */
export interface NodeEvents {
  /** A leader became known, or (`leaderId` undefined) none is known any more. */
  leader: [event: { readonly term: number; readonly leaderId: MemberId | undefined }];
  /** The own role changed. */
  role: [event: { readonly term: number; readonly role: Role }];
  /** The outgoing connection to a peer stands or fell. */
  peer: [event: { readonly memberId: MemberId; readonly connected: boolean }];
  /** A peer refused this member's handshake; it is tried again. */
  refused: [event: { readonly memberId: MemberId; readonly error: KontikiError }];
  /** The transport refused or closed a connection for what came on it. */
  incident: [event: TransportIncident];
  /**
   * What became of a snapshot: `sent` to `memberId`, which has all of it; `failed` on its way there, to
   * be tried again, or not even made here, for `error`, without `memberId`; `installed` here, in place of
   * everything up to `index`.
   */
  snapshot: [
    event: {
      readonly kind: 'sent' | 'failed' | 'installed';
      readonly index: number;
      readonly memberId?: MemberId | undefined;
      readonly error?: KontikiError | undefined;
    },
  ];
  /** Log or state ran out of disk space, and wait for some; or found some again. */
  space: [event: { readonly hasSpace: boolean }];
  /**
   * This member stood still: `loop`: none of its code ran for `ms`, which is over; `log`, `state`: a write
   * or a batch is under way for `ms` (docs/adr/0021-stalls.md), or `isOver` after that.
   */
  stall: [event: StallFact];
  /** The members, or what is known of them, are others than before. */
  members: [event: { readonly members: readonly MemberStatus[] }];
  /** The member stopped for good: its storage or state machine failed, or its peers shut it out. */
  failed: [event: { readonly error: KontikiError }];
}
