/** Whether a stored record is what was written, for whoever walks over all of them. */
import type { BinaryString } from '../base/bytes.js';
import { checkSeal } from './record-bytes.js';

/** Kinds of records that are sealed by a checksum, by the first unit of their keys. */
const sealed = 'acklmpswz';
/** Checksum and layout version. */
const sealBytes = 5;

/**
 * Verifies the checksum of a record, for the backend's `verify` option.
 *
 * @param recordKey - where it was found
 * @param bytes - the record
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function verifyRecord(recordKey: BinaryString, bytes: Uint8Array): void {
  if (sealed.includes(recordKey.charAt(0))) checkSeal(recordKey, bytes, sealBytes);
}
