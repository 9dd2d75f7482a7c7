/**
 * The whole state at one moment, streamed while later changes are applied and flushed: what a snapshot
 * is made of. Taking it copies nothing: the engine's cursor and the layers of changes not yet in the
 * engine both stay as they are.
 *
 * ```
 *   newest layer .. oldest layer   overrides   engine as of the capture
 * ```
 */
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import type { StateView, StoredRecord } from '../mvcc/backend.js';
import { appliedKey, flushKeys } from './flush-record.js';
import type { EngineIterator, EnginePair, KeyRange } from './kv-engine.js';
import { type Layer, type LayerChange, LayerCursor, prepareLayers } from './layers.js';

/** Every key of the state; those of the backend itself are passed over. @since 0.1.0 */
export const allKeys: KeyRange = { gte: '', lt: '\xff' };

const chunkPairs = 1_000;
/** Keys that one call passes over, all of them deleted, before others get to run. */
const turnKeys = 4_096;
const ownPrefixes = [appliedKey.charAt(0), flushKeys.gte.charAt(0)];

/** The engine walks everything below this when a view is read. */
const keyEnd = allKeys.lt.charCodeAt(0);
const ownUnits = ownPrefixes.map((prefix) => prefix.charCodeAt(0));

/**
 * Checks that a key may be the caller's: not one of the backend itself, nor behind what a view shows.
 *
 * @since 0.1.0
 */
export function checkStateKey(key: BinaryString): void {
  const first = key.charCodeAt(0);
  if (first === ownUnits[0] || first === ownUnits[1] || !(first < keyEnd)) {
    assert(false, `keys of the backend itself: ${JSON.stringify(key)}`);
  }
}

/** What a view is over. @since 0.1.0 */
export interface StateViewParts {
  readonly appliedIndex: number;
  /** Newest first; they do not change any more. */
  readonly layers: readonly Layer[];
  /** Over {@link allKeys}; owned by the view. */
  readonly cursor: EngineIterator;
  /** Throws when a record is not what was written. */
  readonly verify: ((key: BinaryString, bytes: Uint8Array) => void) | undefined;
  /** Lets others run. */
  readonly pause: () => Promise<void>;
  /** Called once, at the end of its life. */
  readonly onClose: () => void;
}

/**
 * A {@link StateView} over an engine and the layers above it.
 *
 * @since 0.1.0
 */
export class LayeredView implements StateView {
  readonly appliedIndex: number;
  readonly #parts: StateViewParts;
  /** Made by the first read: sorting the layers is not the capture's work. */
  #changes: LayerCursor | undefined;
  #change: LayerChange | undefined;
  #pairs: readonly EnginePair[] = [];
  #at = 0;
  #isEngineDone = false;
  #isClosed = false;
  /** Why it was ended before its owner closed it. */
  #end: unknown;

  /** @param parts - see {@link StateViewParts} */
  constructor(parts: StateViewParts) {
    this.#parts = parts;
    this.appliedIndex = parts.appliedIndex;
  }

  /** @throws {KontikiError} STATE_CORRUPT, STORAGE_IO, CLOSED */
  async next(count: number): Promise<readonly StoredRecord[]> {
    this.#checkOpen();
    if (this.#changes === undefined) {
      const preparing = prepareLayers(this.#parts.layers, this.#parts.pause);
      if (preparing !== undefined) {
        await preparing;
        this.#checkOpen();
      }
      this.#changes = new LayerCursor(this.#parts.layers, allKeys);
      this.#change = this.#changes.next();
    }
    const out: StoredRecord[] = [];
    for (let passed = 1; out.length < count; passed += 1) {
      if (passed % turnKeys === 0) {
        // What is there is enough; with nothing at all the search goes on in another turn.
        if (out.length > 0) break;
        await this.#parts.pause();
        this.#checkOpen();
      }
      if (this.#at === this.#pairs.length && !this.#isEngineDone) {
        // At most one read of the engine for a call: what is there is enough.
        if (out.length > 0) break;
        await this.#fill(count);
        continue;
      }
      if (!this.#take(out)) break;
    }
    return out;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#parts.cursor.close();
    } finally {
      this.#parts.onClose();
    }
  }

  /**
   * Closes it behind its owner's back.
   *
   * @param error - what every further read fails with
   */
  async end(error: unknown): Promise<void> {
    this.#end = error;
    await this.close().catch(() => undefined);
  }

  async #fill(count: number): Promise<void> {
    this.#pairs = await this.#parts.cursor.next(Math.min(count, chunkPairs));
    this.#checkOpen();
    this.#at = 0;
    this.#isEngineDone = this.#pairs.length === 0;
  }

  /** Takes the next key from either side; false at the end of both. */
  #take(out: StoredRecord[]): boolean {
    const stored = this.#pairs[this.#at];
    const change = this.#change;
    if (change !== undefined && (stored === undefined || change[0] <= stored[0])) {
      this.#change = this.#changes?.next();
      if (stored !== undefined && change[0] === stored[0]) this.#at += 1;
      if (change[1] !== null) this.#push(out, [change[0], change[1]]);
      return true;
    }
    if (stored === undefined) return false;
    this.#at += 1;
    const first = stored[0].charAt(0);
    if (first !== ownPrefixes[0] && first !== ownPrefixes[1]) this.#push(out, stored);
    return true;
  }

  #push(out: StoredRecord[], record: StoredRecord): void {
    this.#parts.verify?.(record[0], record[1]);
    out.push(record);
  }

  #checkOpen(): void {
    if (this.#end !== undefined) throw this.#end;
    if (this.#isClosed) throw kontikiError('CLOSED', 'the view of the state is closed');
  }
}
