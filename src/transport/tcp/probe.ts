/**
 * Asks peers whether they would take a member, before it has written anything of its own.
 */
import type { KontikiError } from '../../base/errors.js';
import type { MemberId } from '../../raft/types.js';
import type { Address } from '../address.js';
import { helloOf } from '../handshake.js';
import type { MemberIdentity } from '../transport.js';
import { dial } from './dial.js';
import type { TcpContext } from './tcp-context.js';

/**
 * Asks one peer.
 *
 * @returns its refusal; `undefined` when it would take `self`, or is not there to be asked
 * @since 0.1.0
 */
export function probePeer(
  context: TcpContext,
  self: MemberIdentity,
  [peer, address]: readonly [MemberId, Address],
): Promise<KontikiError | undefined> {
  return new Promise((resolve) => {
    dial({
      context,
      address,
      hello: helloOf(self, peer, true),
      timeoutMs: context.times.probeMs,
      onDone: (result) => {
        if (result.kind === 'accepted') result.socket.destroy();
        resolve(result.kind === 'refused' ? result.error : undefined);
      },
    });
  });
}
