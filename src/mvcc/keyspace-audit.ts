/**
 * Looks at every record of a keyspace, in the order of their keys, and says whether they are one: each
 * record by itself, and all of them by the sums of the state hash, which the meta record keeps. A
 * record that is missing, too many or an old one shows there.
 */
import { replaceAdvice } from '../base/advice.js';
import type { BinaryString } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import { getUint32 } from '../base/integers.js';
import { decodeAlarm } from './alarm-record.js';
import { decodeProgress } from './compaction-progress.js';
import { CrcSet } from './crc-set.js';
import { decodeLease, keyOfAttachment } from './lease-record.js';
import { decodeMeta, encodeMeta, freshMeta, type KeyspaceMeta, sumsOfMeta } from './meta.js';
import { decodeStub, isStub } from './put-stub.js';
import { decodeClosed, decodeCurrent, decodeHistory } from './record.js';
import { corruptRecord } from './record-bytes.js';
import { metaKey, progressKey } from './record-keys.js';
import { decodeSessionPage } from './session-record.js';
import { HashSums, hashLanes, hashOfMeta } from './state-hash.js';

/** How many records of each kind there are. @since 0.1.0 */
export interface KeyspaceCounts {
  /** Live keys. */
  keys: number;
  /** Changes that history holds. */
  changes: number;
  /** Versions that a later change ended. */
  closed: number;
  leases: number;
  /** Keys attached to leases. */
  attachments: number;
  /** Sessions of processes that write. */
  sessions: number;
  /** Members whose state is known to be corrupt. */
  alarms: number;
}

/** Kinds of records that there are many of, by the first unit of their keys. */
const kinds: ReadonlyMap<
  string,
  {
    readonly decode: (recordKey: BinaryString, bytes: Uint8Array) => unknown;
    readonly counted: keyof KeyspaceCounts;
  }
> = new Map([
  ['a', { decode: keyOfAttachment, counted: 'attachments' }],
  ['c', { decode: decodeCurrent, counted: 'keys' }],
  ['k', { decode: decodeClosed, counted: 'closed' }],
  ['l', { decode: decodeLease, counted: 'leases' }],
  ['w', { decode: decodeAlarm, counted: 'alarms' }],
  ['z', { decode: decodeHistory, counted: 'changes' }],
]);

/**
 * Takes every record once, in the order of their keys.
 *
 * @since 0.1.0
 */
export class KeyspaceAudit {
  readonly counts: KeyspaceCounts = {
    keys: 0,
    changes: 0,
    closed: 0,
    leases: 0,
    attachments: 0,
    sessions: 0,
    alarms: 0,
  };
  /** Of the records, and of those that compactions removed. */
  readonly #sums = new HashSums();
  #kept = new HashSums();
  /**
   * Checksums of current versions: the sums count a put and its stub as the same, and a stub whose
   * version is not current has lost it. Stubs come behind all current versions.
   */
  readonly #current = new CrcSet();
  #hasLostVersion = false;
  #meta: KeyspaceMeta | undefined;
  /** The last one whose page came. */
  #session: number | undefined;

  /** The keyspace's numbers; those of an empty one until its meta record came. */
  get meta(): KeyspaceMeta {
    return this.#meta ?? freshMeta;
  }

  /** The state hash, as `Keyspace` has it; members at the same applied index have the same. */
  get stateHash(): string {
    return hashOfMeta(encodeMeta(this.meta, this.#kept));
  }

  /**
   * @param recordKey - where the record is stored
   * @param bytes - the record; not kept
   * @throws {KontikiError} STATE_CORRUPT, naming the record; FORMAT_UNSUPPORTED
   */
  add(recordKey: BinaryString, bytes: Uint8Array): void {
    const kind = kinds.get(recordKey.charAt(0));
    if (kind !== undefined) {
      kind.decode(recordKey, bytes);
      this.counts[kind.counted] += 1;
      if (kind.counted === 'keys') this.#current.add(getUint32(bytes, 0));
      if (kind.counted === 'changes' && isStub(bytes)) {
        this.#hasLostVersion ||= !this.#current.has(decodeStub(recordKey, bytes).crc);
      }
    } else if (recordKey.startsWith('s')) {
      // Its pages follow each other.
      const { session } = decodeSessionPage(recordKey, bytes);
      if (session !== this.#session) this.counts.sessions += 1;
      this.#session = session;
    } else if (recordKey === metaKey) {
      this.#meta = decodeMeta(bytes);
      this.#kept = sumsOfMeta(bytes);
    } else if (recordKey === progressKey) {
      this.#sums.addSums(decodeProgress(bytes).removed);
    } else {
      throw corruptRecord(recordKey, 'no record of this release has such a key');
    }
    this.#sums.addRecord(recordKey, bytes);
  }

  /**
   * Compares the sums, once every record was added.
   *
   * @throws {KontikiError} STATE_CORRUPT
   */
  end(): void {
    const wrong: string[] = hashLanes.filter(
      (lane) => this.#sums.text(lane) !== this.#kept.text(lane),
    );
    if (this.#hasLostVersion) wrong.push('ended versions');
    if (wrong.length === 0) return;
    throw kontikiError(
      'STATE_CORRUPT',
      `the records of the keyspace are not those it ended with, in ${wrong.join(', ')}: some are ` +
        `missing, or not the newest; ${replaceAdvice}`,
    );
  }
}
