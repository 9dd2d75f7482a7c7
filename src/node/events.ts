/**
 * Facts a node reports. Nothing depends on anyone listening.
 */
import type { KontikiError } from '../base/errors.js';
import type { MemberId, Role } from '../raft/types.js';

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
  /** The member stopped for good: its storage or state machine failed, or its peers shut it out. */
  failed: [event: { readonly error: KontikiError }];
}
