/**
 * Answers reads at the latest revision from decoded versions that were read before (DESIGN §4.11).
 *
 * It stands beside the records, not between them and their readers: it learns of every revision in
 * the moment that watchers do, so what it holds is what is current, however the records are layered
 * or on their way to the disk. What a read fetches is kept if none of its keys changed meanwhile.
 */
import type { BinaryString } from '../base/bytes.js';
import { limits } from '../base/limits.js';
import type { ReadSet } from './backend.js';
import { operationFault } from './command-check.js';
import { PointCache, versionBytes } from './point-cache.js';
import type { Query, QueryStep } from './query.js';
import { currentVersion, isOldRange } from './range-read.js';
import { isDescending, matchesNeeded, needsAll, shapeRange } from './range-shape.js';
import { RunCache } from './run-cache.js';
import { selects, singleKey } from './selection.js';
import type { KeyEvent, KeySelection, KeyVersion, RangeOperation, RangeResult } from './types.js';

/** What {@link VersionCache} stands before: a `Keyspace`. @since 0.1.0 */
export interface RangeSource {
  readonly revision: number;
  rangeQuery(operation: RangeOperation): Query<RangeResult>;
}

/** Above every key: units are at most 0xff. */
const end: BinaryString = '\u0100';
/** Changed keys that are remembered: a read that takes longer than so many changes is not kept. */
const recentMax = 1_024;
/** Of the whole: what a single range may take, so that a scan does not push out everything. */
const rangeShare = 1 / 16;

const itself = (version: KeyVersion): KeyVersion => version;

/**
 * A cache of current versions, of one keyspace.
 *
 * Caller: the state machine, which calls {@link notify} (or {@link clear}) right after the changes of a
 * revision were handed to the backend. Versions of an answer are shared: nobody may change their bytes.
 *
 * @since 0.1.0
 */
export class VersionCache {
  readonly #source: RangeSource;
  readonly #bytesMax: number;
  readonly #points: PointCache;
  readonly #runs: RunCache;
  /** Keys of the last changes, the one numbered `n` at `n % recentMax`. */
  readonly #recent: BinaryString[] = [];
  #changes = 0;

  /**
   * @param source - answers what is not known
   * @param bytesMax - of keys, values and what keeping them takes; default
   *   `limits.versionCacheBytes`, 0 for no cache
   */
  constructor(source: RangeSource, bytesMax: number = limits.versionCacheBytes) {
    this.#source = source;
    this.#bytesMax = bytesMax;
    this.#points = new PointCache(bytesMax / 2);
    this.#runs = new RunCache(bytesMax / 2);
  }

  /** Bytes that are kept, estimated. */
  get bytes(): number {
    return this.#points.bytes + this.#runs.bytes;
  }

  /**
   * As `Keyspace.rangeQuery`; done at once when everything is known.
   *
   * @throws {KontikiError} COMPACTED, FUTURE_REVISION, KEY_EMPTY, ARGUMENT_INVALID
   */
  rangeQuery(operation: RangeOperation): Query<RangeResult> {
    if (isOldRange(operation)) return this.#source.rangeQuery(operation);
    const known = this.#known(operation);
    if (known === undefined) {
      const query = this.#source.rangeQuery(operation);
      return query.done || !isKeepable(operation) ? query : this.#fetch(operation, query);
    }
    const fault = operationFault(operation);
    if (fault !== undefined) throw fault;
    const answer = shapeRange(operation, known, itself);
    return { done: true, result: { op: 'range', revision: this.#source.revision, ...answer } };
  }

  /** A revision: of its events, all. */
  notify(events: readonly KeyEvent[]): void {
    for (const event of events) {
      const { key } = event;
      this.#points.delete(key);
      this.#runs.change(key, event.type === 'put' ? event.current : undefined);
      this.#recent[this.#changes % recentMax] = key;
      this.#changes += 1;
    }
  }

  /** A revision that changed too much to go through it. */
  clear(): void {
    this.#points.clear();
    this.#runs.clear();
    this.#changes += recentMax + 1;
  }

  #known(operation: RangeOperation): readonly KeyVersion[] | undefined {
    const { gte, lt = end } = operation.keys;
    const single = singleKey(operation.keys);
    if (single !== undefined) {
      const version = this.#points.get(single);
      return version === undefined ? undefined : [version];
    }
    const needed = isDescending(operation) ? undefined : matchesNeeded(operation);
    return this.#runs.read(gte, lt, needed ?? Number.POSITIVE_INFINITY);
  }

  #fetch(operation: RangeOperation, query: QueryStep<RangeResult>): Query<RangeResult> {
    const from = this.#changes;
    return {
      done: false,
      plan: query.plan,
      next: (reads) => {
        const next = query.next(reads);
        if (next.done && !this.#isChanged(operation.keys, from)) {
          this.#keep(operation.keys, next.result, reads);
        }
        return next;
      },
    };
  }

  /** Whether a key of the selection may have changed since change number `from`. */
  #isChanged(keys: KeySelection, from: number): boolean {
    if (this.#changes - from > recentMax) return true;
    for (let nth = from; nth < this.#changes; nth += 1) {
      if (selects(keys, this.#recent[nth % recentMax] as BinaryString)) return true;
    }
    return false;
  }

  #keep({ gte, lt = end }: KeySelection, { kvs, more }: RangeResult, { ranges }: ReadSet): void {
    const [records] = ranges;
    if (records === undefined) {
      if (kvs[0] !== undefined) this.#points.set(kvs[0]);
      return;
    }
    const versions = [...kvs];
    let known = lt;
    if (more) {
      // Was read to tell that there is more, and will be asked for next time again.
      const after = records[kvs.length];
      if (after !== undefined) versions.push(currentVersion(after));
      known = `${(versions.at(-1) as KeyVersion).key}\0`;
    }
    let bytes = 0;
    for (const version of versions) bytes += versionBytes(version);
    if (bytes <= rangeShare * this.#bytesMax) this.#runs.add(gte, known, versions);
  }
}

/** Whether the answer has all versions as they are, from the low end of the range. */
function isKeepable(operation: RangeOperation): boolean {
  const { keysOnly, countOnly } = operation;
  if (keysOnly === true || countOnly === true) return false;
  return !needsAll(operation) && !isDescending(operation);
}
