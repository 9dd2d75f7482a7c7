/**
 * Facts a store reports. Nothing depends on anyone listening.
 */
import type { KontikiError } from '../base/errors.js';
import type { Role } from '../node/index.js';

/** @since 0.1.0 */
export interface StoreEvents {
  /** A leader became known; `leader` is its name, `undefined` when none is known any more. */
  leader: [event: { readonly term: number; readonly leader: string | undefined }];
  /** The own role changed. */
  role: [event: { readonly term: number; readonly role: Role }];
  /** The outgoing connection to a member stands or fell. */
  peer: [event: { readonly member: string; readonly connected: boolean }];
  /** A member refused this one's handshake; it is tried again. */
  refused: [event: { readonly member: string; readonly error: KontikiError }];
  /** This member stopped for good; every further call rejects with `error`. */
  failed: [event: { readonly error: KontikiError }];
}
