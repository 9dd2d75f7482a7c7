/** An owner of a transport that writes down what it is told, and waits for it. */
import { expect, vi } from 'vitest';
import type { KontikiError } from '../../src/base/errors.js';
import type { MemberId } from '../../src/raft/types.js';
import { TransportRecorder } from '../../src/testing/suites/transport-rig.js';

export {
  testHeartbeat as heartbeat,
  testIdentity as identityOf,
} from '../../src/testing/suites/transport-rig.js';

export class Recorder extends TransportRecorder {
  /** Of refusals that have one. */
  readonly refusalReasons: string[] = [];

  override onRefused(peer: MemberId, error: KontikiError): void {
    super.onRefused(peer, error);
    if ('reason' in error) this.refusalReasons.push(String(error.reason));
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

  /** Codes of what was reported so far, and the reasons of those of TLS. */
  get incidentCodes(): string[] {
    return this.incidents.map(({ error }) =>
      'reason' in error ? `${error.code} ${error.reason}` : error.code,
    );
  }
}

/** Settles once `condition` holds. */
export function until(condition: () => boolean): Promise<void> {
  return vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 2 });
}
