/**
 * Linearizable reads: before a read looks at local state, the member must have caught up with
 * everything acknowledged before the read began. One such pass will do for all reads that came before
 * it began, and those that come in one go share one:
 *
 *     readers   1 2 3 | 4 | 5 6 |      in the order in which they came
 *     passes          a   b     c      b serves 1 to 4, whatever becomes of a
 *
 * A pass changes nothing, so a failed one is simply repeated until the reader's own time is over: one
 * pass for all who still wait, however many passes failed.
 */
import type { Timer, Timers } from '../base/clock.js';
import { isKontikiError, isPassing, type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { TimedWait, type WaitLimits } from './timed-wait.js';

/** Pause before a pass that was refused is repeated. */
const retryMs = 20;
/** When no pass was begun for this long, those who wait get another one beside those under way. */
const repeatMs = 1_000;

interface Pass {
  /** The last reader that came before it began. */
  readonly upTo: number;
}

/** @since 0.1.0 */
export class ReadBarrier {
  readonly #timers: Timers;
  readonly #pass: () => Promise<unknown>;
  /** Those who are not settled, each with its number, in the order in which they came. */
  readonly #readers = new Map<TimedWait, number>();
  /** Number of the last reader. */
  #arrived = 0;
  /** Not settled, in order; none that began before one that succeeded. */
  readonly #underWay = new Set<Pass>();
  #newest: Pass = { upTo: 0 };
  /** Begins the next pass for those who still wait, if nothing else does before. */
  #next: Timer | undefined;
  /** The newest pass was refused: the next one begins with the timer. */
  #isPaused = false;
  /** A pass will begin at the end of this breath. */
  #isGathering = false;
  #closed: KontikiError | undefined;

  /**
   * @param pass - resolves when this member has caught up with what was acknowledged before the
   *   call; rejects when that will not become known
   */
  constructor(timers: Timers, pass: () => Promise<unknown>) {
    this.#timers = timers;
    this.#pass = pass;
  }

  /**
   * Resolves once local state includes everything acknowledged, on any member, before this call.
   *
   * @throws {KontikiError} OVERLOADED, TIMEOUT, CLOSED, or what made the member stop;
   *   `signal.reason`
   */
  wait(options: WaitLimits): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    TimedWait.check(this.#readers.size, options);
    const reader: TimedWait = new TimedWait(this.#timers, options, {
      expected: 'catch up with a quorum',
      onSettled: () => this.#leave(reader),
    });
    this.#arrived += 1;
    this.#readers.set(reader, this.#arrived);
    if (!this.#isGathering) void this.#gather();
    return reader.over;
  }

  /** Ends all who wait, between two passes as well, and all later ones: nobody outlives the store. */
  close(error: KontikiError): void {
    this.#closed ??= ofRead(error) as KontikiError;
    for (const reader of this.#readers.keys()) reader.settle(this.#closed);
  }

  /** Who reads in the same breath comes along. */
  async #gather(): Promise<void> {
    this.#isGathering = true;
    await Promise.resolve();
    this.#isGathering = false;
    this.#offer();
  }

  #leave(reader: TimedWait): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#next?.cancel();
    this.#next = undefined;
    this.#isPaused = false;
  }

  /** A pass for those who came since the newest began, unless it is better to wait a little. */
  #offer(): void {
    const isWanted = this.#readers.size > 0 && this.#newest.upTo < this.#arrived;
    if (!isWanted || this.#isPaused) return;
    if (this.#underWay.size < limits.readPassesMax) this.#begin();
    // The first of those under way that ends offers again; but they may be lost.
    else this.#next ??= this.#timers.after(repeatMs, this.#again);
  }

  /**
   * A pass may be lost on its way, so another follows; those under way still count when they come: a
   * member that lags by seconds would otherwise start anew for ever.
   */
  readonly #again = (): void => {
    this.#isPaused = false;
    if (this.#underWay.size < 2 * limits.readPassesMax) this.#begin();
    else this.#wake(repeatMs);
  };

  #begin(): void {
    this.#newest = { upTo: this.#arrived };
    this.#underWay.add(this.#newest);
    this.#wake(repeatMs);
    void this.#run(this.#newest);
  }

  /** One pass. Never rejects. */
  async #run(pass: Pass): Promise<void> {
    try {
      await this.#pass();
      this.#settle(pass);
      for (const other of this.#underWay) {
        if (other.upTo > pass.upTo) break;
        this.#underWay.delete(other);
      }
    } catch (error) {
      this.#underWay.delete(pass);
      if (!isPassing(error)) this.#settle(pass, ofRead(error));
      else if (pass === this.#newest && this.#readers.size > 0) this.#pause();
    }
    this.#offer();
  }

  /** Ends those who came before the pass began, and nobody else. */
  #settle({ upTo }: Pass, error?: unknown): void {
    for (const [reader, number] of this.#readers) {
      if (number > upTo) break;
      reader.settle(error);
    }
  }

  /** One for all: what refused this pass would refuse those of later readers, too. */
  #pause(): void {
    this.#isPaused = true;
    this.#wake(retryMs);
  }

  #wake(ms: number): void {
    this.#next?.cancel();
    this.#next = this.#timers.after(ms, this.#again);
  }
}

/** The error without an outcome: only writes have one, and a read is always repeatable. */
function ofRead(error: unknown): unknown {
  if (!isKontikiError(error)) return error;
  const { code, message, cause, outcome: _, ...fields } = error;
  return kontikiError(code, message, { ...fields, cause } as never);
}
