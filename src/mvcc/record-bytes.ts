/**
 * The first five bytes of every stored record: checksum and layout version.
 */
import { replaceAdvice, upgradeAdvice } from '../base/advice.js';
import type { BinaryString } from '../base/bytes.js';
import { crc32 } from '../base/crc32.js';
import { kontikiError } from '../base/errors.js';
import { getUint32, setUint32 } from '../base/integers.js';

/**
 * Version of the layout of every record of the keyspace.
 *
 * @since 0.1.0
 */
export const recordLayout = 1;

const crcBytes = 4;

/**
 * Writes layout version and checksum; the last step of every encoder.
 *
 * @param bytes - a record whose bytes from 5 on are written
 * @since 0.1.0
 */
export function seal(bytes: Uint8Array): void {
  bytes[crcBytes] = recordLayout;
  setUint32(bytes, 0, crc32(bytes, 0, crcBytes));
}

/**
 * Verifies what {@link seal} wrote; the first step of every decoder.
 *
 * @param recordKey - where the record was found, for the error
 * @param bytes - the record
 * @param bytesMin - size of its fixed part
 * @throws {KontikiError} STATE_CORRUPT; FORMAT_UNSUPPORTED when a newer version wrote it
 * @since 0.1.0
 */
export function checkSeal(recordKey: BinaryString, bytes: Uint8Array, bytesMin: number): void {
  if (bytes.length < bytesMin) throw corruptRecord(recordKey, `it has ${bytes.length} bytes`);
  if (getUint32(bytes, 0) !== crc32(bytes, 0, crcBytes)) {
    throw corruptRecord(recordKey, 'its checksum is wrong');
  }
  const layout = bytes[crcBytes];
  if (layout === recordLayout) return;
  throw kontikiError(
    'FORMAT_UNSUPPORTED',
    `stored record ${JSON.stringify(recordKey)} has layout ${layout}, this release reads ` +
      `${recordLayout}: ${upgradeAdvice}`,
  );
}

/**
 * The error for a record that is not what was written.
 *
 * @since 0.1.0
 */
export function corruptRecord(recordKey: BinaryString, what: string) {
  const message = `stored record ${JSON.stringify(recordKey)}: ${what}; ${replaceAdvice}`;
  return kontikiError('STATE_CORRUPT', message);
}
