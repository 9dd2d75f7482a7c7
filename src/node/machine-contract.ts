/**
 * What a state machine of one's own promised, checked where a breach would cost entries or answers: what it
 * says of its indexes decides what is removed from the log, and its answers go to whoever waits at the same
 * place in the batch.
 */
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { StateSnapshot } from './state-machine.js';

/** Follows one machine from `open` on. @since 0.1.0 */
export class MachineContract {
  /** Last entry it was given: in its state, or on the way there. */
  #given = 0;
  #applied = 0;
  #durable = 0;

  /** What it last said rightly to be durable. */
  get durableIndex(): number {
    return this.#durable;
  }

  /**
   * @param answer - of `open`
   * @throws {KontikiError} STATE_MACHINE_INVALID
   */
  opened(answer: unknown): { readonly appliedIndex: number } {
    const appliedIndex = (answer as { readonly appliedIndex?: unknown } | undefined)?.appliedIndex;
    if (!isIndex(appliedIndex)) {
      throw broken('open to answer an appliedIndex that is a safe integer >= 0', appliedIndex);
    }
    this.#applied = appliedIndex;
    this.#given = appliedIndex;
    return { appliedIndex };
  }

  /** Entries up to this one are handed over, or a state that ends with it. */
  gives(index: number): void {
    this.#given = Math.max(this.#given, index);
  }

  /** They are in its state. */
  applied(index: number): void {
    this.#applied = index;
  }

  /**
   * @param answers - of `apply`
   * @param count - entries that it was given
   * @throws {KontikiError} STATE_MACHINE_INVALID
   */
  answered(answers: unknown, count: number): readonly unknown[] {
    if (!Array.isArray(answers)) throw broken(`apply to answer an array of ${count}`, answers);
    if (answers.length === count) return answers;
    throw broken(`apply to answer one value for each of ${count} entries`, answers.length);
  }

  /** Takes what is right of it; what is not is told by {@link checkDurable}. */
  notesDurable(index: unknown): void {
    if (this.#durableProblem(index) === undefined) this.#durable = index as number;
  }

  /** @throws {KontikiError} STATE_MACHINE_INVALID */
  checkDurable(index: unknown): void {
    const problem = this.#durableProblem(index);
    if (problem !== undefined) throw problem;
    this.#durable = index as number;
  }

  /**
   * @param snapshot - of `snapshot`
   * @throws {KontikiError} STATE_MACHINE_INVALID
   */
  snapshotted(snapshot: StateSnapshot | undefined): StateSnapshot {
    if (typeof snapshot?.next !== 'function' || typeof snapshot.close !== 'function') {
      throw broken('snapshot to answer an object with next and close', snapshot);
    }
    if (snapshot.appliedIndex === this.#applied) return snapshot;
    // Members of then and the entries behind it would be those of another moment.
    throw broken(`snapshot to be of entry ${this.#applied}`, snapshot.appliedIndex);
  }

  #durableProblem(index: unknown): KontikiError | undefined {
    if (!isIndex(index)) return broken('durableIndex to be a safe integer >= 0', index);
    if (index > this.#given) {
      return broken(`durableIndex to be at most ${this.#given}, the last entry given`, index);
    }
    if (index >= this.#durable) return undefined;
    return broken(`durableIndex not to go down from ${this.#durable}`, index);
  }
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function broken(expected: string, got: unknown): KontikiError {
  const shown = typeof got === 'object' && got !== null ? 'an object' : String(got);
  const message = `openNode: expected ${expected} of stateMachine, got ${shown}`;
  return kontikiError('STATE_MACHINE_INVALID', message);
}
