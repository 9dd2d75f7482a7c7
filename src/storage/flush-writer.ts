/**
 * Writes flushes to the engine, each as a synced batch with the records that prove it; much history goes ahead, in a
 * batch of its own. One that finds no space waits for some and opens the engine again (docs/adr/0023-full-disk.md).
 */
import { assert } from '../base/assert.js';
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import { aheadOf, putsOf } from './flush-ahead.js';
import { FlushChain } from './flush-chain.js';
import { flushesLost } from './flush-chain-reading.js';
import type { FlushedRecords } from './flushed-records.js';
import { allOf, bytesOf, changesOf, type Layer, restOf } from './layers.js';
import type { ReopenableEngine } from './reopenable-engine.js';
import { SpaceWait } from './space-wait.js';
import type { WriteBehindSettings } from './write-behind-options.js';

/** What flushes go through. @since 0.1.0 */
export interface FlushWriterParts {
  readonly engine: ReopenableEngine;
  readonly settings: Pick<WriteBehindSettings, 'timers' | 'reopening' | 'aheadBytesMin'>;
  /** Is told what was written. */
  readonly flushed: FlushedRecords | undefined;
  /** Ends what goes with the engine when it is opened again. */
  readonly endViews: (error: unknown) => Promise<void>;
}

/** @since 0.1.0 */
export class FlushWriter {
  readonly #parts: FlushWriterParts;
  readonly #spaceWait: SpaceWait;
  #chain: FlushChain;

  /** @param chain - of the engine */
  constructor(chain: FlushChain, parts: FlushWriterParts) {
    this.#chain = chain;
    this.#parts = parts;
    this.#spaceWait = new SpaceWait(parts.settings.timers);
  }

  /** False while a flush waits for space. */
  get hasSpace(): boolean {
    return !this.#spaceWait.isWaiting;
  }

  /** What waits for space fails, now and ever after. */
  interrupt(): void {
    this.#spaceWait.interrupt();
  }

  /**
   * Writes a flush; one at a time.
   *
   * @param layers - newest first; they do not change any more
   * @param to - applied index with them
   * @param pause - lets others run
   * @throws {KontikiError} what the engine failed with
   */
  async write(layers: readonly Layer[], to: number, pause: () => Promise<void>): Promise<void> {
    const { settings, endViews } = this.#parts;
    const { seq } = this.#chain;
    for (let isAgain = false; ; isAgain = true) {
      try {
        if (isAgain && (await this.#reopen(seq))) return;
        await this.#write(layers, to, pause);
        assert(this.#chain.appliedIndex === to, 'the engine walked the whole batch');
        return;
      } catch (error) {
        const { reopening } = settings;
        if (reopening === undefined || !isKontikiError(error, 'NO_SPACE')) throw error;
        // Until then the engine answers reads, views included.
        await this.#spaceWait.until(() => reopening.hasSpace(bytesOf(layers)), error);
        await endViews(error);
      }
    }
  }

  async #write(layers: readonly Layer[], to: number, pause: () => Promise<void>): Promise<void> {
    const { engine, settings, flushed } = this.#parts;
    const chain = this.#chain;
    // Again after a lack of space, the layers tell of all that went ahead before: nobody reads it in the engine.
    flushed?.begin();
    const ahead = chain.isEmpty ? undefined : aheadOf(layers, chain.top, settings.aheadBytesMin);
    if (ahead !== undefined) {
      // Synced: LevelDB does not sync a log that the rest does not go to.
      await engine.write(chain.ahead(putsOf(ahead, flushed)), { sync: true, pause });
    }
    const changes = changesOf(layers, flushed, ahead === undefined ? allOf : restOf);
    const batch = chain.next(changes, to);
    await engine.write(batch, { sync: true, pause });
  }

  /** @returns whether the flush behind flush `seq` was there, after all */
  async #reopen(seq: number): Promise<boolean> {
    const { engine, settings, flushed } = this.#parts;
    const { reopening } = settings;
    assert(reopening !== undefined, 'an engine is opened again by who can');
    flushed?.clear();
    await engine.reopen(() => reopening.open());
    this.#chain = await FlushChain.open(engine);
    const found = this.#chain.seq;
    if (found === seq || found === seq + 1) return found > seq;
    throw flushesLost(`flush ${seq} was the last one before there was no space, found ${found}`);
  }
}

/**
 * What a flush failed with, as everybody is told.
 *
 * @since 0.1.0
 */
export function flushErrorOf(cause: unknown): KontikiError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return isKontikiError(cause) ? cause : kontikiError('STORAGE_IO', what, { cause });
}
