/**
 * Counts keys of a range as of one moment: what the pages know, and what has to be read from engine and
 * overlay for the rest, from which the pages learn (docs/adr/0011-counting.md).
 */
import type { BinaryString } from '../base/bytes.js';
import type { StoredRecord } from '../mvcc/backend.js';
import { CountPages, type CountPagesOptions, type PartCount, type Stretch } from './count-pages.js';
import type { CursorRange, KeyRange } from './kv-engine.js';

/** The keys whose number is kept in mind. @since 0.1.0 */
export interface CountedKeys extends CountPagesOptions {
  /** They begin with this one unit. */
  readonly prefix: BinaryString;
  /**
   * What a change does to the number of keys: 1, 0 or -1. Asked of every change of such a key, in
   * order, and of nothing else: the change alone must tell.
   *
   * @param bytes - `undefined` deletes
   */
  readonly delta: (bytes: Uint8Array | undefined) => number;
}

/**
 * Hands over the records of a range, ascending, in pieces. Everything is fixed inside the call; it
 * resolves behind the last piece.
 *
 * @since 0.1.0
 */
export type ReadPieces = (
  range: CursorRange,
  take: (records: readonly StoredRecord[]) => void,
) => Promise<void>;

/**
 * The counts of one backend.
 *
 * @since 0.1.0
 */
export class RangeCounter {
  /** The keys whose number is kept in mind. */
  readonly range: KeyRange;
  readonly #unit: number;
  readonly #pages: CountPages;
  readonly #delta: CountedKeys['delta'];

  /** @param counted - see {@link CountedKeys} */
  constructor({ prefix, delta, ...options }: CountedKeys) {
    this.#unit = prefix.charCodeAt(0);
    this.#delta = delta;
    this.range = { gte: prefix, lt: String.fromCharCode(this.#unit + 1) };
    this.#pages = new CountPages(this.range, options);
  }

  /** Takes a change, of any key, that shows from now on. */
  changed(key: BinaryString, bytes: Uint8Array | undefined): void {
    if (key.charCodeAt(0) !== this.#unit) return;
    const delta = this.#delta(bytes);
    if (delta !== 0) this.#pages.changed(key, delta);
  }

  /** Takes that keys from one to another, both included, changed in ways that are not told. */
  forget(first: BinaryString, last: BinaryString): void {
    this.#pages.forget(first, last);
  }

  /** How many keys there are in the range, in the turn of the call. */
  count(range: KeyRange, read: ReadPieces): Promise<number> {
    const { gte, lt } = this.range;
    const isCounted = range.gte >= gte && range.lt <= lt;
    return isCounted ? countRange(this.#pages, range, read) : countOnce(range, read);
  }
}

/**
 * Counts a range by reading all of it.
 *
 * @since 0.1.0
 */
export function countOnce(range: KeyRange, read: ReadPieces): Promise<number> {
  return countRange(new CountPages(range), range, read);
}

/**
 * Counts a range, everything to be read being fixed inside the call.
 *
 * @param pages - of a range that this one is inside of; they learn
 * @since 0.1.0
 */
export async function countRange(
  pages: CountPages,
  range: KeyRange,
  read: ReadPieces,
): Promise<number> {
  if (range.gte >= range.lt) return 0;
  const { known, stretches } = pages.survey(range);
  const readings = stretches.map((stretch) => readStretch(pages, stretch, read));
  let count = known;
  for (const keys of await Promise.all(readings)) count += keys;
  return count;
}

async function readStretch(pages: CountPages, stretch: Stretch, read: ReadPieces): Promise<number> {
  const { gte, lt, parts } = stretch;
  const tally = new Tally(stretch, pages.pageKeys);
  // Where there is something to be learned, it will not be read again.
  const bulk = parts.some(({ lesson }) => lesson !== undefined);
  try {
    await read({ gte, lt, bulk }, (records) => {
      for (const [key] of records) tally.add(key);
    });
    return tally.finish(pages);
  } catch (error) {
    for (const part of parts) pages.abandon(part);
    throw error;
  }
}

/** Counts the keys of a stretch, page by page. */
class Tally {
  readonly #stretch: Stretch;
  readonly #pageKeys: number;
  readonly #counts: PartCount[] = [];
  #keys = 0;
  #cuts: BinaryString[] = [];
  #lt: BinaryString;

  constructor(stretch: Stretch, pageKeys: number) {
    this.#stretch = stretch;
    this.#pageKeys = pageKeys;
    this.#lt = stretch.parts[0]?.lt ?? stretch.lt;
  }

  /** Takes the next key, ascending. */
  add(key: BinaryString): void {
    while (key >= this.#lt) this.#nextPart();
    if (this.#keys > 0 && this.#keys % this.#pageKeys === 0) this.#cuts.push(key);
    this.#keys += 1;
  }

  /** Tells the pages; returns how many keys there were. */
  finish(pages: CountPages): number {
    const { parts } = this.#stretch;
    while (this.#counts.length < parts.length) this.#nextPart();
    pages.learn(parts, this.#counts);
    let sum = 0;
    for (const { keys } of this.#counts) sum += keys;
    return sum;
  }

  #nextPart(): void {
    this.#counts.push({ keys: this.#keys, cuts: this.#cuts });
    this.#keys = 0;
    this.#cuts = [];
    this.#lt = this.#stretch.parts[this.#counts.length]?.lt ?? this.#stretch.lt;
  }
}
