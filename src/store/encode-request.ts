/**
 * A command as the bytes of its entry, of a size that every part on its way takes.
 */
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { encodeCommand } from '../codec/command-codec.js';
import type { Command } from '../mvcc/types.js';
import type { ProposalId } from '../node/index.js';

const integerMax = Number.MAX_SAFE_INTEGER;
const longestId: ProposalId = { session: integerMax, seq: integerMax, doneBelow: integerMax };
/** Three integers of up to 9 bytes. */
const idBytesMax = 27;

/**
 * A command is measured under the longest name: it may get another one while it waits, when its session
 * opens or is opened anew, and has to fit then too.
 *
 * @throws {KontikiError} REQUEST_TOO_LARGE, of the same commands whatever their id
 * @since 0.1.0
 */
export function encodeRequest(
  { session, seq, doneBelow }: ProposalId,
  command: Command,
): Uint8Array {
  // Field by field: a put is too small for a spread.
  const bytes = encodeCommand({ session, seq, doneBelow, command });
  if (bytes.length > limits.requestBytesMax - idBytesMax) checkLength(command);
  return bytes;
}

function checkLength(command: Command): void {
  const { length } = encodeCommand({ ...longestId, command });
  if (length <= limits.requestBytesMax) return;
  const message = `store: expected a request of at most ${limits.requestBytesMax} bytes, got ${length}`;
  throw kontikiError('REQUEST_TOO_LARGE', message, { outcome: 'rejected' });
}
