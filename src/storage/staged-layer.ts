/**
 * The changes of one large entry: millions of them, taken slice by slice while nothing shows them, then
 * laid over everything else in one step. A tree, because neither a map that grows nor a list that is
 * sorted does so in small steps: doubling a map of two million keys stops the loop for half a second,
 * and none holds more than 16.7 million.
 */
import type { BinaryString } from '../base/bytes.js';
import { SortedMap } from '../base/sorted-map.js';
import type { Change, RangeRead, StagedChanges } from '../mvcc/backend.js';
import type { KeyRange } from './kv-engine.js';
import type { ChangeCursor, Layer, LayerChange } from './layers.js';
import { allKeys, checkStateKey } from './state-view.js';

/** Changes that a walk takes out of the tree at a time. */
const chunkChanges = 128;

/**
 * Made by the backend's `stage`.
 *
 * @since 0.1.0
 */
export class StagedLayer implements Layer, StagedChanges {
  readonly #changes = new SortedMap<Uint8Array | null>();
  readonly #turn: () => Promise<void>;
  #bytes = 0;

  /** @param turn - resolves in a later turn; rejects when the backend takes nothing more */
  constructor(turn: () => Promise<void>) {
    this.#turn = turn;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(changes: readonly Change[]): Promise<void> {
    for (const [key, bytes] of changes) {
      checkStateKey(key);
      this.#changes.set(key, bytes ?? null);
      this.#bytes += key.length + (bytes?.length ?? 0);
    }
    return this.#turn();
  }

  get(key: BinaryString): Uint8Array | null | undefined {
    return this.#changes.get(key);
  }

  /** The first and the last key of a range that is changed here; `undefined`: none is. */
  ends(range: KeyRange): readonly [first: BinaryString, last: BinaryString] | undefined {
    const [first] = this.#changes.collect(range, 1, false);
    const [last] = this.#changes.collect(range, 1, true);
    return first === undefined || last === undefined ? undefined : [first[0], last[0]];
  }

  walks(): readonly Iterable<LayerChange>[] {
    return [this.#all()];
  }

  addCursors(range: RangeRead, cursors: ChangeCursor[]): void {
    cursors.push(new TreeCursor(this.#changes, range));
  }

  *#all(): Generator<LayerChange, void, undefined> {
    const cursor = new TreeCursor(this.#changes, allKeys);
    for (; cursor.key !== undefined; cursor.advance()) yield [cursor.key, cursor.bytes()];
  }
}

class TreeCursor implements ChangeCursor {
  key: BinaryString | undefined;
  readonly #tree: SortedMap<Uint8Array | null>;
  readonly #isReverse: boolean;
  #gte: BinaryString;
  #lt: BinaryString;
  #chunk: readonly LayerChange[] = [];
  #at = -1;

  constructor(tree: SortedMap<Uint8Array | null>, { gte, lt, reverse = false }: RangeRead) {
    this.#tree = tree;
    this.#isReverse = reverse;
    this.#gte = gte;
    this.#lt = lt;
    this.advance();
  }

  bytes(): Uint8Array | null {
    return (this.#chunk[this.#at] as LayerChange)[1];
  }

  advance(): void {
    this.#at += 1;
    if (this.#at === this.#chunk.length) this.#fill();
    this.key = this.#chunk[this.#at]?.[0];
  }

  #fill(): void {
    const range = { gte: this.#gte, lt: this.#lt };
    this.#chunk = this.#tree.collect(range, chunkChanges, this.#isReverse);
    this.#at = 0;
    const last = this.#chunk.at(-1);
    if (last === undefined) return;
    if (this.#isReverse) this.#lt = last[0];
    // The smallest key above it: it and a zero byte.
    else this.#gte = `${last[0]}\0`;
  }
}
