/** An owner of a transport that writes down what it is told. */
import { expect, vi } from 'vitest';
import type { WireMessage } from '../../src/codec/wire-message.js';
import type { MemberId } from '../../src/raft/types.js';
import type { MemberIdentity, TransportHandlers } from '../../src/transport/transport.js';

export class Recorder implements TransportHandlers {
  readonly messages: WireMessage[] = [];
  /** As `2 up`, `2 down`. */
  readonly links: string[] = [];
  /** As `2 MEMBER_UNKNOWN`. */
  readonly refusals: string[] = [];
  readonly admitted: { peer: MemberIdentity; probe: boolean }[] = [];
  /** What `admit` does after it wrote down the peer. */
  decide: (peer: MemberIdentity) => Promise<void> = () => Promise.resolve();

  onMessage(message: WireMessage): void {
    this.messages.push(message);
  }

  admit(peer: MemberIdentity, probe: boolean): Promise<void> {
    this.admitted.push({ peer, probe });
    return this.decide(peer);
  }

  onLink(peer: MemberId, up: boolean): void {
    this.links.push(`${peer} ${up ? 'up' : 'down'}`);
  }

  onRefused(peer: MemberId, error: { code: string }): void {
    this.refusals.push(`${peer} ${error.code}`);
  }

  isUp(peer: MemberId): boolean {
    return this.links.findLast((link) => link.startsWith(`${peer} `)) === `${peer} up`;
  }

  untilUp(peer: MemberId): Promise<void> {
    return until(() => this.isUp(peer));
  }

  untilDown(peer: MemberId): Promise<void> {
    return until(() => !this.isUp(peer));
  }

  untilReceived(count: number): Promise<void> {
    return until(() => this.messages.length >= count);
  }
}

/** Settles once `condition` holds. */
export function until(condition: () => boolean): Promise<void> {
  return vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 2 });
}

/** The identity of a test member; the same at every call. */
export function identityOf(memberId: MemberId): MemberIdentity {
  return { clusterId: 77, memberId, dirId: String(memberId).padStart(32, '0') };
}

export function heartbeat(from: MemberId, to: MemberId, commit: number): WireMessage {
  return { kind: 'heartbeat-request', from, to, term: 1, commit, reads: 0, sentAt: 0 };
}
