/**
 * The records of LevelDB's log files, of which the manifest is one, as LevelDB itself finds them:
 * damage drops the rest of its block of 32 KiB, and reading goes on with the next one.
 *
 * ```
 *   block    fragment ... fragment, then fewer than 7 bytes of no meaning
 *   fragment masked crc32c of type and data u32, length u16, type u8, data
 *   type     1 a whole record, 2 its first fragment, 3 one in the middle, 4 its last
 * ```
 */
import { concatBytes } from '../../base/bytes.js';
import { ByteReader } from './byte-reader.js';
import { crc32c, masked } from './crc32c.js';
import type { FileDamage } from './damage.js';

const blockBytes = 32 * 1024;
const headBytes = 7;

/** @since 0.1.0 */
export interface LogFileRecord {
  /** Of its first fragment. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** What stands where a fragment should be. @since 0.1.0 */
export interface LogFileDamage extends FileDamage {
  /** Nothing was ever written there: the head of a fragment is zero. */
  readonly isBlank: boolean;
}

/** What a log file holds. @since 0.1.0 */
export interface LogFile {
  readonly records: readonly LogFileRecord[];
  /** In the order of the file. */
  readonly damage: readonly LogFileDamage[];
  /** Where the record begins that the file ends inside; absent when there is none. */
  readonly cutAt: number | undefined;
}

interface Fragment {
  readonly offset: number;
  readonly type: number;
  readonly data: Uint8Array;
}

/**
 * Reads a whole log file.
 *
 * @param bytes - the file; records are views into it where they are whole
 * @since 0.1.0
 */
export function readLogFile(bytes: Uint8Array): LogFile {
  const reading = new LogFileReading();
  for (let at = 0; at < bytes.length; ) {
    const blockEnd = Math.min(bytes.length, at - (at % blockBytes) + blockBytes);
    const isLast = blockEnd === bytes.length && blockEnd % blockBytes !== 0;
    if (blockEnd - at < headBytes) {
      if (isLast) reading.cut(at);
      at = blockEnd;
      continue;
    }
    const head = new ByteReader(bytes, at);
    const crc = head.fixed(4);
    const length = head.fixed(2);
    const type = head.byte();
    const end = at + headBytes + length;
    if (end > blockEnd && isLast) {
      reading.cut(at);
      break;
    }
    const what = end > blockEnd ? 'its length is wrong' : undefined;
    if (what === undefined && crc === masked(crc32c(bytes, at + 6, end))) {
      reading.add({ offset: at, type, data: bytes.subarray(at + headBytes, end) });
      at = end;
      continue;
    }
    const isBlank = type === 0 && length === 0;
    reading.damaged({ offset: at, what: what ?? 'a checksum is wrong', isBlank });
    at = blockEnd;
  }
  return reading;
}

class LogFileReading implements LogFile {
  readonly records: LogFileRecord[] = [];
  readonly damage: LogFileDamage[] = [];
  #cutAt: number | undefined;
  /** Of a record whose last one has not come. */
  #parts: Fragment[] = [];

  get cutAt(): number | undefined {
    return this.#cutAt ?? this.#parts[0]?.offset;
  }

  add(fragment: Fragment): void {
    const { offset, type, data } = fragment;
    const isFirst = type === 1 || type === 2;
    if (isFirst !== (this.#parts.length === 0)) {
      const what = isFirst ? 'a record has no end' : 'a record has no beginning';
      this.damaged({ offset: this.#parts[0]?.offset ?? offset, what, isBlank: false });
      if (!isFirst) return;
    }
    if (type === 1) {
      this.records.push({ offset, bytes: data });
    } else if (type === 2 || type === 3) {
      this.#parts.push(fragment);
    } else if (type === 4) {
      const parts = [...this.#parts, fragment];
      this.#parts = [];
      const whole = concatBytes(parts.map((part) => part.data));
      this.records.push({ offset: (parts[0] as Fragment).offset, bytes: whole });
    } else {
      this.damaged({ offset, what: `a fragment has the unknown type ${type}`, isBlank: false });
    }
  }

  /** What was begun is lost with it. */
  damaged(damage: LogFileDamage): void {
    const [first] = this.#parts;
    if (first !== undefined && damage.isBlank) {
      this.damage.push({ offset: first.offset, what: 'a record has no end', isBlank: false });
    } else {
      this.damage.push(damage);
    }
    this.#parts = [];
  }

  cut(at: number): void {
    this.#cutAt = this.#parts[0]?.offset ?? at;
  }
}
