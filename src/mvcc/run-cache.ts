/**
 * Stretches of keys whose current versions are known without a gap, as range reads found them. They do
 * not overlap; two that meet are read as one.
 *
 * ```
 *   a        f   f     k            q      t
 *   [ b c e  )   [ g h )            [ r    )        [c, i) is known, [c, m) is not
 * ```
 */
import type { BinaryString } from '../base/bytes.js';
import { versionBytes } from './point-cache.js';
import { ownVersion } from './record-room.js';
import type { KeyVersion } from './types.js';

interface Run {
  /** Inclusive. */
  readonly gte: BinaryString;
  /** Exclusive. */
  readonly lt: BinaryString;
  /** All there are, by key. */
  readonly versions: KeyVersion[];
  bytes: number;
  /** Read since the last sweep. */
  isUsed: boolean;
}

/** What a run takes beside its versions. */
const runOverhead = 300;
/** So many are put where they belong among the others; more make a new list. */
const fewRuns = 16;
/** A sweep makes so much room that the next one is far. */
const sweptShare = 3 / 4;

/**
 * Runs of current versions.
 *
 * @since 0.1.0
 */
export class RunCache {
  readonly #bytesMax: number;
  /** By key. */
  #runs: Run[] = [];
  #bytes = 0;

  /** @param bytesMax - of everything kept */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The versions of a range, by key, if all of it is known as far as needed.
   *
   * @param gte - inclusive
   * @param lt - exclusive
   * @param needed - so many are enough
   */
  read(gte: BinaryString, lt: BinaryString, needed: number): KeyVersion[] | undefined {
    const found: KeyVersion[] = [];
    let from = gte;
    for (let at = this.#firstEndingAfter(gte); ; at += 1) {
      const run = this.#runs[at];
      if (run === undefined || run.gte > from) return undefined;
      run.isUsed = true;
      const { versions } = run;
      for (let nth = placeOf(versions, from); nth < versions.length; nth += 1) {
        const version = versions[nth] as KeyVersion;
        if (version.key >= lt) return found;
        found.push(version);
        if (found.length >= needed) return found;
      }
      if (run.lt >= lt) return found;
      from = run.lt;
    }
  }

  /**
   * Keeps what is not known yet of a range.
   *
   * @param versions - all in `[gte, lt)`, by key
   */
  add(gte: BinaryString, lt: BinaryString, versions: readonly KeyVersion[]): void {
    const first = this.#firstEndingAfter(gte);
    const runs: Run[] = [];
    let at = first;
    for (let from = gte; from < lt; ) {
      const next = this.#runs[at];
      const to = next === undefined || next.gte > lt ? lt : next.gte;
      if (from < to) {
        const inside = versions
          .slice(placeOf(versions, from), placeOf(versions, to))
          .map(ownVersion);
        runs.push(this.#runOf(from, to, inside));
        from = to;
      } else {
        const known = next as Run;
        runs.push(known);
        from = known.lt;
        at += 1;
      }
    }
    // One by one, each between tens of thousands of others, they would move all of them each time.
    if (runs.length <= fewRuns) this.#runs.splice(first, at - first, ...runs);
    else this.#runs = this.#runs.slice(0, first).concat(runs, this.#runs.slice(at));
    if (this.#bytes > this.#bytesMax) this.#sweep();
  }

  /** A key was put, or deleted (`undefined`). */
  change(key: BinaryString, version: KeyVersion | undefined): void {
    if (this.#runs.length === 0) return;
    const at = this.#firstEndingAfter(key);
    const run = this.#runs[at];
    if (run === undefined || run.gte > key) return;
    const { versions } = run;
    const place = placeOf(versions, key);
    const before = versions[place];
    const isKnown = before?.key === key;
    const change =
      (version === undefined ? 0 : versionBytes(version)) - (isKnown ? versionBytes(before) : 0);
    run.bytes += change;
    this.#bytes += change;
    if (version === undefined) versions.splice(place, isKnown ? 1 : 0);
    else versions.splice(place, isKnown ? 1 : 0, ownVersion(version));
    if (this.#bytes > this.#bytesMax) this.#sweep();
  }

  clear(): void {
    this.#runs = [];
    this.#bytes = 0;
  }

  #runOf(gte: BinaryString, lt: BinaryString, versions: KeyVersion[]): Run {
    let bytes = runOverhead + 2 * (gte.length + lt.length);
    for (const version of versions) bytes += versionBytes(version);
    this.#bytes += bytes;
    return { gte, lt, versions, bytes, isUsed: false };
  }

  #firstEndingAfter(key: BinaryString): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle] as Run).lt <= key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** What was not read since the last sweep goes; then others, until there is room. */
  #sweep(): void {
    const kept: Run[] = [];
    let bytes = 0;
    for (const run of this.#runs) {
      const isWanted = run.isUsed;
      run.isUsed = false;
      if (!isWanted || bytes + run.bytes > sweptShare * this.#bytesMax) continue;
      kept.push(run);
      bytes += run.bytes;
    }
    this.#runs = kept;
    this.#bytes = bytes;
  }
}

/** Of the first version whose key is not below `key`. */
function placeOf(versions: readonly KeyVersion[], key: BinaryString): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((versions[middle] as KeyVersion).key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
