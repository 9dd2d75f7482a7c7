/**
 * Stored records of sessions. The answers of a session are kept in pages of 8 consecutive numbers, so
 * that a request rewrites what its neighbours left, not everything the session holds:
 *
 * ```
 * s<id><page>  0 u32 crc of the rest   4 u8 layout version   5 u64 id   13 u64 page
 *             21 u64 last applied index   29 u64 floor   37 answers: u8 place, u16 length, bytes
 * ```
 *
 * Index and floor are the session's as they were when the page was last written to: the session's own
 * are those of its newest page, which is never the one to go. A session that was just opened has page 0.
 */
import type { BinaryString } from '../base/bytes.js';
import { getUint53, setUint53 } from '../base/integers.js';
import type { RangeRead } from './backend.js';
import { checkSeal, corruptRecord, seal } from './record-bytes.js';
import { numberDigits } from './record-keys.js';

const headBytes = 37;

/**
 * Requests whose answers share a record.
 *
 * @since 0.1.0
 */
export const answersPerPage = 8;

/** One record. @since 0.1.0 */
export interface SessionPage {
  readonly session: number;
  readonly page: number;
  /** Of the newest request that was applied by then. */
  readonly lastIndex: number;
  /** Requests of the session below it are not known any more. */
  readonly floor: number;
  /** Kept answers by place in the page: request `page * answersPerPage + place`. */
  readonly answers: ReadonlyMap<number, Uint8Array>;
}

/**
 * All records of sessions.
 *
 * @since 0.1.0
 */
export const sessionRecords: RangeRead = { gte: 's', lt: 't' };

/**
 * Record key of a page.
 *
 * @since 0.1.0
 */
export function sessionKey(session: number, page: number): BinaryString {
  return `s${numberDigits(session)}${numberDigits(page)}`;
}

/**
 * Encodes a page.
 *
 * @since 0.1.0
 */
export function encodeSessionPage(page: SessionPage): Uint8Array {
  let length = headBytes;
  for (const answer of page.answers.values()) length += 3 + answer.length;
  const bytes = new Uint8Array(length);
  setUint53(bytes, 5, page.session);
  setUint53(bytes, 13, page.page);
  setUint53(bytes, 21, page.lastIndex);
  setUint53(bytes, 29, page.floor);
  let at = headBytes;
  for (const [place, answer] of page.answers) {
    bytes[at] = place;
    bytes[at + 1] = answer.length >>> 8;
    bytes[at + 2] = answer.length;
    bytes.set(answer, at + 3);
    at += 3 + answer.length;
  }
  seal(bytes);
  return bytes;
}

/**
 * Decodes a page.
 *
 * @param recordKey - where the record was found
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function decodeSessionPage(recordKey: BinaryString, bytes: Uint8Array): SessionPage {
  checkSeal(recordKey, bytes, headBytes);
  const session = getUint53(bytes, 5);
  const page = getUint53(bytes, 13);
  if (sessionKey(session, page) !== recordKey) {
    throw corruptRecord(recordKey, 'it holds another page');
  }
  const answers = new Map<number, Uint8Array>();
  for (let at = headBytes; at < bytes.length; ) {
    const from = at + 3;
    const to = from + (((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number));
    if (!(to <= bytes.length)) throw corruptRecord(recordKey, 'an answer ends outside of it');
    answers.set(bytes[at] as number, new Uint8Array(bytes.subarray(from, to)));
    at = to;
  }
  const lastIndex = getUint53(bytes, 21);
  return { session, page, lastIndex, floor: getUint53(bytes, 29), answers };
}
