/** What a bare member needs around it: who delivers, who checks, who decides when things are done. */
import type { PeerMessage, RawNode, Ready } from '../../raft/index.js';
import type { RaftStep } from '../invariants/raft-step.js';
import type { BareMember } from './bare-member.js';

/**
 * The outside of bare members. All calls are synchronous.
 *
 * @since 0.1.0
 */
export interface BareWorld {
  /** Virtual time in microseconds. */
  readonly nowUs: number;
  /** Whether everything handed out is deep-frozen, to catch whoever changes it; slow. */
  readonly freezes: boolean;
  /** A step for the invariants. */
  observe(step: RaftStep): void;
  /** A message leaves; for a member that may not exist. */
  send(member: BareMember, message: PeerMessage): void;
  /** A node was made, and has done nothing yet. */
  onNode(member: BareMember, node: RawNode): void;
  /** An input was handled and is checked. Usually the member's `takeReady` is called now, or soon. */
  onInput(member: BareMember): void;
  /** The write of a `Ready` was accepted, and nothing of it was sent yet. */
  onReady(member: BareMember, ready: Ready): void;
  /** The state machine is about to answer its oldest page. */
  onAnswer(member: BareMember): void;
  /** Something worth counting happened. */
  count(name: string): void;
}
