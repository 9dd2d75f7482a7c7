/**
 * What a search has been at: which operations were linearized, and in which state that left. Coming
 * back to the same pair in another order leads to the same dead end (Lowe's memoisation).
 *
 * Both are compared whole. A table of hashes alone would be smaller, and a collision would give up a
 * linearization that exists: a wrong verdict.
 */
import { BitWindow } from './bit-window.js';
import type { Candidates } from './candidates.js';

const unitsPerCall = 8_192;

/**
 * The set of visited pairs, and the linearized operations of the moment.
 *
 * @since 0.1.0
 */
export class Visited {
  /** Place of each operation in its window. */
  readonly #bits: Int32Array;
  readonly #answered: BitWindow;
  readonly #pending: BitWindow;
  readonly #candidates: Candidates;
  /** Numbers of the states met, by what tells them apart. */
  readonly #states = new Map<unknown, number>();
  readonly #seen = new Set<string>();
  readonly #units: number[] = [];

  /**
   * @param candidates - of the same history
   */
  constructor(candidates: Candidates) {
    const { order, answered } = candidates;
    this.#candidates = candidates;
    this.#bits = new Int32Array(order.length);
    order.forEach((operation, at) => {
      this.#bits[operation] = at < answered ? at : at - answered;
    });
    this.#answered = new BitWindow(answered);
    this.#pending = new BitWindow(order.length - answered);
  }

  /** How many pairs were visited. */
  get size(): number {
    return this.#seen.size;
  }

  /** Takes an operation into the linearized ones. */
  add(operation: number): void {
    this.#windowOf(operation).add(this.#bits[operation] as number);
  }

  /** Takes an operation out of the linearized ones. */
  remove(operation: number): void {
    this.#windowOf(operation).remove(this.#bits[operation] as number);
  }

  /**
   * Notes the linearized operations with a state.
   *
   * @param stateKey - what tells the state apart
   * @returns whether the pair is new
   */
  visit(stateKey: unknown): boolean {
    const units = this.#units;
    const state = this.#numberOf(stateKey);
    units.length = 0;
    units.push(state & 0xffff, state >>> 16);
    this.#answered.write(units);
    this.#pending.write(units);
    const before = this.#seen.size;
    this.#seen.add(textOf(units));
    return this.#seen.size > before;
  }

  #numberOf(stateKey: unknown): number {
    const known = this.#states.get(stateKey);
    if (known !== undefined) return known;
    this.#states.set(stateKey, this.#states.size);
    return this.#states.size - 1;
  }

  #windowOf(operation: number): BitWindow {
    return this.#candidates.isPending(operation) ? this.#pending : this.#answered;
  }
}

function textOf(units: number[]): string {
  if (units.length <= unitsPerCall) return String.fromCharCode.apply(null, units);
  let text = '';
  for (let at = 0; at < units.length; at += unitsPerCall) {
    text += String.fromCharCode.apply(null, units.slice(at, at + unitsPerCall));
  }
  return text;
}
