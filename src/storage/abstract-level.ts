/**
 * What the engines on `classic-level` and on `level` share: both packages are an abstract-level
 * database, which is described here by its shape, so that this module loads neither.
 *
 * Keys go through the `utf8` encoding: one unit 0..255 becomes one or two bytes, and UTF-8 sorts
 * like the code points it encodes, so the order of binary strings survives. It is also the cheapest
 * key type of classic-level (DESIGN §5).
 */
import { replaceAdvice } from '../base/advice.js';
import type { BinaryString } from '../base/bytes.js';
import type { Clock } from '../base/clock.js';
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import { engineWriteBufferBytes } from './flush-chain.js';
import type {
  CursorRange,
  EngineBatch,
  EngineIterator,
  EnginePair,
  EngineWriteOptions,
  KvEngine,
} from './kv-engine.js';
import { ReadPace } from './read-pace.js';
import { TurnGate } from './turn-gate.js';

const MiB = 1024 * 1024;

/** Changes handed over before others get to run: about half a microsecond each (ADR 0005). */
const sliceChanges = 512;

/** @since 0.1.0 */
export interface LevelBatch {
  put(key: string, value: Uint8Array): unknown;
  del(key: string): unknown;
  write(options: { sync: boolean }): Promise<void>;
  close(): Promise<void>;
}

/** @since 0.1.0 */
export interface LevelIterator {
  nextv(size: number): Promise<[string, Uint8Array][]>;
  close(): Promise<void>;
}

/** @since 0.1.0 */
export interface LevelIteratorOptions {
  readonly gte: string;
  readonly lt: string;
  readonly reverse: boolean;
  readonly fillCache: boolean;
  readonly highWaterMarkBytes: number;
}

/** The part of an abstract-level database that the engine uses. @since 0.1.0 */
export interface LevelDatabase {
  readonly supports: { readonly implicitSnapshots?: boolean; readonly getSync?: boolean };
  open(): Promise<void>;
  close(): Promise<void>;
  getMany(keys: string[]): Promise<(Uint8Array | undefined)[]>;
  getSync?(key: string): Uint8Array | undefined;
  batch(): LevelBatch;
  iterator(options: LevelIteratorOptions): LevelIterator;
}

/** Options of the database's constructor; a browser's ignores those about files. @since 0.1.0 */
export const levelOptions = {
  keyEncoding: 'utf8',
  valueEncoding: 'view',
  // The flush chain is kept for so many of these; see flush-chain.ts before changing it.
  writeBufferSize: engineWriteBufferBytes,
  cacheSize: 32 * MiB,
} as const;

/** @since 0.1.0 */
export interface LevelEngineOptions {
  /** Times what `getNow` costs; default: there is no `getNow`. */
  readonly clock?: Clock | undefined;
  /** Called before each write; what it throws fails the write. */
  readonly beforeWrite?: (() => void) | undefined;
}

/**
 * A {@link KvEngine} over an abstract-level database.
 *
 * @since 0.1.0
 */
export class LevelEngine implements KvEngine {
  readonly #db: LevelDatabase;
  /** Present for a database whose cursors do not hold on to one moment (IndexedDB). */
  readonly #gate: TurnGate | undefined;
  /** Present for a database that answers inside a call. */
  readonly #pace: ReadPace | undefined;

  readonly #beforeWrite: (() => void) | undefined;

  private constructor(db: LevelDatabase, { clock, beforeWrite }: LevelEngineOptions) {
    this.#db = db;
    this.#beforeWrite = beforeWrite;
    if (clock !== undefined && db.supports.getSync === true) this.#pace = new ReadPace(clock);
    this.#gate = db.supports.implicitSnapshots === true ? undefined : new TurnGate();
  }

  /**
   * Opens the database that `construct` builds with {@link levelOptions}.
   *
   * @param options - see {@link LevelEngineOptions}
   * @throws {KontikiError} DIR_LOCKED, STATE_CORRUPT, NO_SPACE, STORAGE_IO
   */
  static async open(
    construct: () => LevelDatabase,
    options: LevelEngineOptions = {},
  ): Promise<LevelEngine> {
    try {
      const db = construct();
      await db.open();
      return new LevelEngine(db, options);
    } catch (error) {
      throw levelError('open the state engine', error);
    }
  }

  async getMany(keys: readonly BinaryString[]): Promise<readonly (Uint8Array | undefined)[]> {
    try {
      // The database takes its snapshot inside this call, before it leaves the thread.
      return await this.#db.getMany(keys as BinaryString[]);
    } catch (error) {
      throw levelError('read from the state engine', error);
    }
  }

  getNow(keys: readonly BinaryString[]): readonly (Uint8Array | undefined)[] | undefined {
    if (this.#pace === undefined || !keys.every(isAscii)) return undefined;
    try {
      return this.#pace.read(keys, this.#getSync);
    } catch (error) {
      throw levelError('read from the state engine', error);
    }
  }

  iterate(range: CursorRange): EngineIterator {
    const { gte, lt, reverse = false, bulk = false } = range;
    const options = { gte, lt, reverse, fillCache: !bulk, highWaterMarkBytes: MiB / 4 };
    try {
      const iterator = this.#db.iterator(options);
      return new LevelCursor(iterator, this.#gate?.enter(), () => this.#gate?.leave());
    } catch (error) {
      throw levelError('read from the state engine', error);
    }
  }

  async write(batch: EngineBatch, options: EngineWriteOptions): Promise<void> {
    try {
      this.#beforeWrite?.();
      if (this.#gate === undefined) await this.#write(batch, options);
      else await this.#gate.write(() => this.#write(batch, options));
    } catch (error) {
      throw levelError('write to the state engine', error);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#db.close();
    } catch (error) {
      throw levelError('close the state engine', error);
    }
  }

  readonly #getSync = (key: BinaryString) => this.#db.getSync?.(key);

  /** A chained batch hands each pair to the engine at once: several times cheaper than an array. */
  async #write(batch: EngineBatch, { sync, pause }: EngineWriteOptions): Promise<void> {
    const chained = this.#db.batch();
    let left = sliceChanges;
    try {
      for (const [key, value] of batch) {
        if (value === undefined) chained.del(key);
        else chained.put(key, this.#gate === undefined ? value : withoutRoom(value));
        left -= 1;
        if (left > 0 || pause === undefined) continue;
        left = sliceChanges;
        await pause();
      }
    } catch (error) {
      await chained.close();
      throw error;
    }
    await chained.write({ sync });
  }
}

class LevelCursor implements EngineIterator {
  readonly #iterator: LevelIterator;
  readonly #turn: Promise<void> | undefined;
  readonly #leave: () => void;
  #closed = false;

  constructor(iterator: LevelIterator, turn: Promise<void> | undefined, leave: () => void) {
    this.#iterator = iterator;
    this.#turn = turn;
    this.#leave = leave;
  }

  async next(count: number): Promise<readonly EnginePair[]> {
    try {
      if (this.#turn !== undefined) await this.#turn;
      return await this.#iterator.nextv(count);
    } catch (error) {
      throw levelError('read from the state engine', error);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#iterator.close();
    } catch (error) {
      throw levelError('close a cursor of the state engine', error);
    } finally {
      this.#leave();
    }
  }
}

/**
 * `getSync` of classic-level 3.0 cuts a key of other units where a buffer it keeps happens to end, and
 * answers with the value of another key (docs/adr/0012-hot-reads.md).
 */
function isAscii(key: BinaryString): boolean {
  for (let at = 0; at < key.length; at += 1) if (key.charCodeAt(at) > 0x7f) return false;
  return true;
}

/** IndexedDB stores the whole buffer behind a view. */
function withoutRoom(value: Uint8Array): Uint8Array {
  return value.byteLength === value.buffer.byteLength ? value : value.slice();
}

/** LevelDB hands on what the platform says of ENOSPC, EDQUOT, and of a full disk on Windows. */
const noSpacePattern = /no space left|quota exceeded|not enough space/i;

/** abstract-level wraps the native error, so the telling code or text may be some causes down. */
function levelError(action: string, error: unknown): KontikiError {
  if (isKontikiError(error)) return error;
  let what = String(error);
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    // "Database failed to open" helps nobody; the innermost cause says why.
    what = at.message;
    const { code } = at as { code?: unknown };
    const fail = (kind: 'DIR_LOCKED' | 'STATE_CORRUPT' | 'NO_SPACE' | 'CLOSED', why: string) =>
      kontikiError(kind, `cannot ${action}: ${why}`, { cause: error });
    if (code === 'LEVEL_LOCKED') return fail('DIR_LOCKED', 'another process or engine has it open');
    if (code === 'LEVEL_CORRUPTION') {
      return fail('STATE_CORRUPT', `${at.message}; ${replaceAdvice}`);
    }
    if (at.name === 'QuotaExceededError' || noSpacePattern.test(at.message)) {
      return fail('NO_SPACE', at.message);
    }
    if (code === 'LEVEL_ITERATOR_NOT_OPEN' || code === 'LEVEL_BATCH_NOT_OPEN') {
      return fail('CLOSED', 'it is closed');
    }
    if (code === 'LEVEL_DATABASE_NOT_OPEN' && at.cause === undefined) {
      return fail('CLOSED', 'it is closed');
    }
  }
  return kontikiError('STORAGE_IO', `cannot ${action}: ${what}`, { cause: error });
}
