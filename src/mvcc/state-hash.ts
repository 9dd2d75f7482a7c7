/**
 * The state hash as sums: one 128-bit sum per kind of record, to which a record's digest is added
 * when it is written and from which it is taken when it goes (DESIGN §4.21). So a write costs the
 * same whatever the keyspace holds, and members can compare at every applied index; etcd's hash
 * scans everything, so hardly anybody had it on when members diverged (incident 13766).
 *
 * The sum of `history` is over every such record that was ever written, a put that had a stub counted as that, so
 * that it does not change when the version moves to history (`put-stub.ts`). A compaction removes them from
 * the disk at each member's own pace, and the hash must not show how far it got. What was removed is
 * summed apart (`compaction-progress.ts`), so what is on the disk can still be checked.
 */
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { getUint32, setUint32 } from '../base/integers.js';
import { countedForm } from './put-stub.js';
import { type Digest, digestBytes, digestKeyed, digestText } from './record-digest.js';

/**
 * What is summed apart, so that a difference says where. `members` is what is known of members: their
 * alarms. Place in the list is the place in stored bytes: only append.
 *
 * @since 0.1.0
 */
export const hashLanes = ['keys', 'history', 'leases', 'sessions', 'members'] as const;

/** @since 0.1.0 */
export type HashLane = (typeof hashLanes)[number];

const laneWords = 4;

/**
 * Bytes of all sums in a record.
 *
 * @since 0.1.0
 */
export const hashSumsBytes = hashLanes.length * laneWords * 4;

const laneAt: Readonly<Record<HashLane, number>> = {
  keys: 0,
  history: laneWords,
  leases: 2 * laneWords,
  sessions: 3 * laneWords,
  members: 4 * laneWords,
};
const scratch: Digest = new Int32Array(laneWords);

/**
 * The lane that a record counts in; `undefined` for records that the hash leaves out.
 *
 * @param recordKey - key of a stored record
 * @since 0.1.0
 */
export function laneOf(recordKey: BinaryString): HashLane | undefined {
  switch (recordKey[0]) {
    case 'c':
      return 'keys';
    case 'z':
    case 'k':
      return 'history';
    case 'a':
    case 'l':
      return 'leases';
    case 's':
      return 'sessions';
    case 'w':
      return 'members';
    default:
      return undefined;
  }
}

/**
 * One 128-bit sum per lane.
 *
 * @since 0.1.0
 */
export class HashSums {
  readonly #words = new Int32Array(hashLanes.length * laneWords);
  #isChanged = false;

  /** Reads what {@link write} wrote. */
  static read(bytes: Uint8Array, at: number): HashSums {
    const sums = new HashSums();
    for (let n = 0; n < sums.#words.length; n += 1) sums.#words[n] = getUint32(bytes, at + 4 * n);
    return sums;
  }

  write(bytes: Uint8Array, at: number): void {
    for (let n = 0; n < this.#words.length; n += 1) {
      setUint32(bytes, at + 4 * n, this.#words[n] as number);
    }
  }

  /** A record of history, whether its version is current or not. */
  addHistory(bytes: Uint8Array): void {
    this.add('history', countedForm(bytes));
  }

  /** A record that says by its bytes where it belongs. */
  add(lane: HashLane, bytes: Uint8Array): void {
    digestBytes(bytes, scratch);
    this.#add(laneAt[lane]);
  }

  /**
   * A put.
   *
   * @param bytes - its record
   * @param told - what history holds of it: the same bytes, or its stub
   */
  addPut(bytes: Uint8Array, told: Uint8Array): void {
    digestBytes(bytes, scratch);
    this.#add(laneAt.keys);
    if (told !== bytes) digestBytes(told, scratch);
    this.#add(laneAt.history);
  }

  /** A record that is gone, or about to be overwritten. */
  subtract(lane: HashLane, bytes: Uint8Array): void {
    digestBytes(bytes, scratch);
    this.#subtract(laneAt[lane]);
  }

  /** The record of a closed version, whose bytes do not say whose end they tell. */
  addClosed(recordKey: BinaryString, bytes: Uint8Array): void {
    digestKeyed(recordKey, bytes, scratch);
    this.#add(laneAt.history);
  }

  /** A key's attachment to a lease, which only its record key tells. */
  addAttachment(recordKey: BinaryString, bytes: Uint8Array): void {
    digestKeyed(recordKey, bytes, scratch);
    this.#add(laneAt.leases);
  }

  /** An attachment that ends. */
  subtractAttachment(recordKey: BinaryString, bytes: Uint8Array): void {
    digestKeyed(recordKey, bytes, scratch);
    this.#subtract(laneAt.leases);
  }

  /** Any record, by its key: what a scrub adds up. */
  addRecord(recordKey: BinaryString, bytes: Uint8Array): void {
    const lane = laneOf(recordKey);
    if (lane === undefined) return;
    if (recordKey.startsWith('k')) this.addClosed(recordKey, bytes);
    else if (recordKey.startsWith('a')) this.addAttachment(recordKey, bytes);
    else if (lane === 'history') this.addHistory(bytes);
    else this.add(lane, bytes);
  }

  /** Adds the other sums to these and empties the others. */
  takeOver(other: HashSums): void {
    if (!other.#isChanged) return;
    this.addSums(other);
    other.#words.fill(0);
    other.#isChanged = false;
  }

  /** Adds the other sums to these. */
  addSums(other: HashSums): void {
    for (let n = 0; n < this.#words.length; n += 1) {
      this.#words[n] = ((this.#words[n] as number) + (other.#words[n] as number)) | 0;
    }
    this.#isChanged = true;
  }

  /** One sum as 32 hexadecimal digits. */
  text(lane: HashLane): string {
    const at = laneAt[lane];
    return digestText(this.#words.subarray(at, at + laneWords));
  }

  #add(at: number): void {
    const words = this.#words;
    for (let n = 0; n < laneWords; n += 1) {
      words[at + n] = ((words[at + n] as number) + (scratch[n] as number)) | 0;
    }
    this.#isChanged = true;
  }

  #subtract(at: number): void {
    const words = this.#words;
    for (let n = 0; n < laneWords; n += 1) {
      words[at + n] = ((words[at + n] as number) - (scratch[n] as number)) | 0;
    }
    this.#isChanged = true;
  }
}

/**
 * The hash over a meta record, which holds the keyspace's numbers and all sums.
 *
 * @param metaBytes - the encoded record
 * @returns 32 hexadecimal digits
 * @since 0.1.0
 */
export function hashOfMeta(metaBytes: Uint8Array): string {
  assert(metaBytes.length > hashSumsBytes, 'a meta record holds the sums');
  digestBytes(metaBytes, scratch);
  return digestText(scratch);
}
