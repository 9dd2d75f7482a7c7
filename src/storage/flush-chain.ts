/**
 * Proof that no flush of the recent past is missing (DESIGN §4.11, docs/adr/0005-write-behind.md).
 *
 * At recovery LevelDB 1.20 drops a damaged record of its own log without an error and may go on with
 * the records after it: a flush in the middle is then gone, later ones are there, and the applied
 * index says that nothing is missing. Hence every flush carries a record of its own, in the same
 * atomic batch:
 *
 * ```
 *   f5 {from 40, to 52}   f6 {from 52, to 60}   f7 {from 60, to 75, oldest 5}   b = 75
 * ```
 *
 * What went ahead of a flush (`flush-ahead.ts`) is proved by its record as well: by some of its keys, which have to
 * be there.
 *
 * A record is deleted only when its batch has left the engine's log for its tables, and that of a later
 * flush as well: one that is in a table stays, so that lost tables are missed, too (`flush-window.ts`).
 */
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { getUint32 } from '../base/integers.js';
import type { Change } from '../mvcc/backend.js';
import { type AheadProofs, KeySample } from './ahead-proofs.js';
import { aheadKeys, isAheadKey } from './flush-ahead.js';
import { aheadLost, FlushChainReading, flushesLost } from './flush-chain-reading.js';
import {
  appliedKey,
  decodeApplied,
  encodeApplied,
  encodeFlush,
  type FlushRecord,
  flushBytesMin,
  flushKey,
  flushKeys,
} from './flush-record.js';
import { FlushWindow } from './flush-window.js';
import type { KvEngine } from './kv-engine.js';

/**
 * Bytes after which the engine starts a new log and turns the old one into a table. Small, so that what goes ahead of
 * a flush becomes a table of its own.
 *
 * @since 0.1.0
 */
export const engineWriteBufferBytes = 1024 * 1024;

/**
 * What fills the engine's write buffer for certain: much more than ours, to depend on no detail of the engine, and for
 * those that have one of their own, a browser's for one.
 */
const groupBytes = 16 * engineWriteBufferBytes;

/** What the engine's write buffer spends on each key at least: list node, sequence number, lengths. */
const entryBytes = 24;

/** A flush record, the applied index and the deletion of an old flush record. */
const ownBytes = 9 + flushBytesMin + 1 + 13 + 9 + 3 * entryBytes;

const chunkPairs = 1_000;

/** A batch that goes ahead of a flush. */
interface AheadBatch {
  readonly bytes: number;
  /** Some of its keys. */
  readonly keys: readonly BinaryString[];
  /** Its highest key. */
  readonly last?: BinaryString;
  /** Of its changes, continued from the flush before. */
  readonly hash?: number;
  /** Whether it was walked to its end. */
  readonly isWhole: boolean;
}

const nothingAhead: AheadBatch = { bytes: 0, keys: [], isWhole: true };

/**
 * The flush records of one engine: verified when opened, then continued with every flush.
 *
 * @since 0.1.0
 */
export class FlushChain {
  #last: FlushRecord;
  readonly #window: FlushWindow;
  readonly #proofs: AheadProofs;
  /** What goes ahead of the next flush, and whether all of it was walked. */
  #ahead = nothingAhead;

  private constructor({ last, sizes, ahead }: FlushChainReading) {
    this.#last = last;
    this.#window = new FlushWindow(groupBytes, last.oldest, sizes);
    this.#proofs = ahead;
  }

  /** Applied index with the last flush; 0 before the first. */
  get appliedIndex(): number {
    return this.#last.to;
  }

  /** Number of the last flush; 0 before the first. */
  get seq(): number {
    return this.#last.seq;
  }

  /** Highest key that a flush put of those that may go ahead; empty for none. */
  get top(): BinaryString {
    return this.#last.top;
  }

  /** Whether nothing was ever flushed. */
  get isEmpty(): boolean {
    return this.#last.seq === 0;
  }

  /**
   * Reads and verifies the records of an engine; what they tell of is durable then.
   *
   * @throws {KontikiError} STATE_CORRUPT when a flush is missing; FORMAT_UNSUPPORTED; STORAGE_IO
   */
  static async open(engine: KvEngine): Promise<FlushChain> {
    const [stored] = await engine.getMany([appliedKey]);
    if (stored === undefined) await checkEmpty(engine);
    const applied = stored === undefined ? 0 : decodeApplied(stored);
    const reading = await verify(engine, applied);
    await removeAbove(reading.last.top, engine);
    // A flush that failed, or that a kill cut short, may show here without being on the medium, and
    // from now on the log is let go of up to it. A sync makes it so, and all before it.
    if (stored !== undefined) await engine.write([[appliedKey, stored]], { sync: true });
    return new FlushChain(reading);
  }

  /**
   * The batch that goes ahead of the next flush, which proves it. Not before the first flush: what it is ahead of
   * could not be told from a state that has lost everything.
   *
   * @param puts - of keys in ascending order, above all that were put before
   * @returns to be walked once, and written before the batch of `next`
   */
  *ahead(puts: Iterable<readonly [BinaryString, Uint8Array]>): Generator<Change, void, undefined> {
    assert(!this.isEmpty, 'nothing goes ahead of the first flush');
    assert(this.#ahead === nothingAhead, 'what goes ahead is walked once');
    const sample = new KeySample();
    let last = this.#last.top;
    let hash = mix(0x811c9dc5, this.#last.hash);
    let bytes = 0;
    this.#ahead = { ...nothingAhead, isWhole: false };
    for (const change of puts) {
      const [key, value] = change;
      assert(isAheadKey(key) && key > last, 'what goes ahead ascends');
      last = key;
      bytes += key.length + entryBytes + value.length;
      hash = fingerprint(hash, change);
      sample.add(key, hash);
      yield change;
    }
    // The highest is left when all that was written before is removed.
    const keys = [...new Set([...sample.keys, last])];
    this.#ahead = { last, keys, bytes, hash, isWhole: true };
  }

  /**
   * The batch of the next flush: the changes and, behind them, the records that prove it. The work is
   * done while the batch is walked, which the engine does in slices; the chain has grown once it was
   * walked to its end.
   *
   * @param changes - in any order; of a key that comes more than once the last one counts
   * @param to - applied index with these changes; `undefined` for a part of a state that is being
   *   loaded, which cannot be opened before a batch with an index follows
   * @returns to be walked once, before the next call
   */
  *next(changes: Iterable<Change>, to?: number): Generator<Change, void, undefined> {
    const seq = this.#last.seq + 1;
    const previous = this.#last.hash;
    const ahead = this.#ahead;
    assert(ahead.isWhole, 'what goes ahead is walked to its end');
    this.#proofs.begin(ahead.keys, ahead.last);
    let hash = ahead.hash ?? mix(0x811c9dc5, previous);
    let bytes = ownBytes;
    for (const change of changes) {
      hash = fingerprint(hash, change);
      bytes += change[0].length + entryBytes + (change[1]?.length ?? 0);
      if (isAheadKey(change[0])) this.#proofs.note(change);
      yield change;
    }
    assert(seq === this.#last.seq + 1, 'the batch of a flush is walked once, before the next one');
    this.#ahead = nothingAhead;
    const first = this.#last.oldest;
    const told = this.#proofs.told();
    this.#window.extend(ahead.bytes);
    const oldest = this.#window.add(bytes);
    const from = this.#last.to;
    const numbers = { seq, oldest, from, to: to ?? from, bytes, previous, hash: hash >>> 0 };
    this.#last = { ...numbers, aheadBytes: ahead.bytes, ...told };
    this.#proofs.take(this.#last);
    this.#proofs.forgetBefore(oldest);
    for (let old = first; old < oldest; old += 1) yield [flushKey(old), undefined];
    yield [flushKey(seq), encodeFlush(this.#last)];
    if (to !== undefined) yield [appliedKey, encodeApplied(to)];
  }
}

/** Lets go of its cursor: without snapshots a write waits for all of them (`turn-gate.ts`). */
async function verify(engine: KvEngine, applied: number): Promise<FlushChainReading> {
  const reading = new FlushChainReading();
  const records = engine.iterate(flushKeys);
  try {
    for (;;) {
      const pairs = await records.next(chunkPairs);
      if (pairs.length === 0) break;
      for (const [key, value] of pairs) reading.add(key, value);
    }
  } finally {
    await records.close();
  }
  reading.end(applied);
  const proofs = reading.ahead.keys;
  const lost = (await engine.getMany(proofs)).indexOf(undefined);
  if (lost >= 0) throw aheadLost(reading.ahead.flushOf(proofs[lost] as BinaryString));
  return reading;
}

/**
 * Removes what went ahead of a rest that was never written.
 *
 * @param top - highest key of all finished flushes
 */
async function removeAbove(top: BinaryString, engine: KvEngine): Promise<void> {
  const { lt } = aheadKeys;
  let gte = top === '' ? aheadKeys.gte : `${top}\0`;
  for (;;) {
    // Let go of: without snapshots a write waits for all cursors (`turn-gate.ts`).
    const left = engine.iterate({ gte, lt, bulk: true });
    const pairs = await left.next(chunkPairs).finally(() => left.close());
    const last = pairs.at(-1);
    if (last === undefined) return;
    await engine.write(
      pairs.map(([key]) => [key, undefined] as const),
      { sync: true },
    );
    // Not from the beginning: a cursor walks over all that was removed.
    gte = `${last[0]}\0`;
  }
}

/** Without an applied index there is nothing at all, else the first flush is lost. */
async function checkEmpty(engine: KvEngine): Promise<void> {
  const all = engine.iterate({ gte: '', lt: '\xff' });
  try {
    const found = await all.next(1);
    if (found.length > 0) throw flushesLost('there are records but no applied index');
  } finally {
    await all.close();
  }
}

/**
 * FNV-1a over the lengths, and over the first and last four bytes of every value, where the keyspace's
 * versions have a checksum that covers their key; a key that is deleted counts whole. Hashing
 * everything would tell no more, and cost a flush a third of its time: it cannot be hashed again later, most
 * being overwritten by then.
 */
function fingerprint(seed: number, [key, value]: Change): number {
  const hash = mix(seed, key.length);
  if (value === undefined) return mix(mixKey(hash, key), 0xffffffff);
  const size = value.length;
  return mix(mix(mix(hash, size), wordAt(value, 0)), wordAt(value, Math.max(0, size - 4)));
}

/** Up to four bytes; those behind the end are 0. */
function wordAt(value: Uint8Array, at: number): number {
  if (at + 4 <= value.length) return getUint32(value, at);
  let word = 0;
  for (let nth = 0; nth < 4; nth += 1) word = (word << 8) | (value[at + nth] ?? 0);
  return word;
}

function mixKey(seed: number, key: BinaryString): number {
  let hash = seed;
  for (let at = 0; at < key.length; at += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  }
  return hash;
}

function mix(hash: number, word: number): number {
  const low = Math.imul(hash ^ (word & 0xffff), 0x01000193);
  return Math.imul(low ^ (word >>> 16), 0x01000193);
}
