/**
 * The state hash at every applied index divisible by 1,024, so that members can compare what they
 * held at the same index, however far each of them is by now (DESIGN §4.21).
 */
import { assert } from '../base/assert.js';
import { limits } from '../base/limits.js';

/**
 * Indexes between two recorded hashes. The same on all members, or they have none in common.
 *
 * @since 0.1.0
 */
export const stateHashInterval = 1_024;

/** What a member held at an index. @since 0.1.0 */
export interface StateHashAt {
  /** Applied index, divisible by 1,024. */
  readonly index: number;
  /** 32 hexadecimal digits; equal on all members that hold the same. */
  readonly hash: string;
}

/**
 * The hashes recorded since this state was opened or installed, the newest
 * `limits.stateHashesMax` of them.
 *
 * @since 0.1.0
 */
export class StateHashes {
  readonly #recorded: StateHashAt[] = [];

  /** Ascending by index; valid until the next one is recorded. */
  get recorded(): readonly StateHashAt[] {
    return this.#recorded;
  }

  /**
   * Records the state if `index` is one to record at.
   *
   * @param index - applied index
   * @param state - as it is at exactly that index
   */
  reached(index: number, state: { readonly stateHash: string }): void {
    if (index === 0 || index % stateHashInterval !== 0) return;
    const last = this.#recorded.at(-1);
    assert(last === undefined || last.index < index, `state hash: ${index} is recorded once`);
    this.#recorded.push({ index, hash: state.stateHash });
    if (this.#recorded.length > limits.stateHashesMax) this.#recorded.shift();
  }
}

/**
 * Where to cut a batch so that no part of it has an index to record at but its last one.
 *
 * @param firstIndex - index of the first entry of a part; the others follow without a gap
 * @returns how many entries the part may have, 1 or more
 * @since 0.1.0
 */
export function untilStateHash(firstIndex: number): number {
  return stateHashInterval - ((firstIndex - 1) % stateHashInterval);
}
