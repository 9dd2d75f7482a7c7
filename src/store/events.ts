/**
 * Facts a store reports: those of its member.
 */
import type { MemberEvents } from '../node/index.js';

/** @since 0.1.0 */
export interface StoreEvents extends MemberEvents {}
