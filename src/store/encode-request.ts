/**
 * A command as the bytes of its entry, of a size that every part on its way takes.
 */
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { encodeCommand } from '../codec/command-codec.js';
import type { Command } from '../mvcc/types.js';
import type { ProposalId } from '../node/index.js';

/**
 * @throws {KontikiError} REQUEST_TOO_LARGE
 * @since 0.1.0
 */
export function encodeRequest(
  { session, seq, doneBelow }: ProposalId,
  command: Command,
): Uint8Array {
  // Field by field: a put is too small for a spread.
  const bytes = encodeCommand({ session, seq, doneBelow, command });
  if (bytes.length <= limits.requestBytesMax) return bytes;
  const message = `store: expected a request of at most ${limits.requestBytesMax} bytes, got ${bytes.length}`;
  throw kontikiError('REQUEST_TOO_LARGE', message, { outcome: 'rejected' });
}
