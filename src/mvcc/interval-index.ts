/**
 * Which of many key ranges hold a key, without asking each: a balanced search tree (AVL) ordered by
 * where ranges begin, in which every node knows the furthest end below it, so that whole subtrees
 * which end too early are passed by.
 *
 * A search costs O(log n) for each range found, and O(log n) when none is.
 */
import type { BinaryString } from '../base/bytes.js';
import type { KeySelection } from './types.js';

interface Branch<T> {
  readonly gte: BinaryString;
  readonly lt: BinaryString | undefined;
  value: T;
  height: number;
  /** The furthest `lt` of this node and all below; `undefined`: one of them has no end. */
  end: BinaryString | undefined;
  left: Branch<T> | undefined;
  right: Branch<T> | undefined;
}

/**
 * A map from ranges of keys to values, one value per range.
 *
 * @since 0.1.0
 */
export class IntervalIndex<T> {
  #root: Branch<T> | undefined;
  #size = 0;

  /** Ranges held. */
  get size(): number {
    return this.#size;
  }

  /** The value of exactly this range. */
  get(keys: KeySelection): T | undefined {
    let branch = this.#root;
    while (branch !== undefined) {
      const order = compareRanges(keys, branch);
      if (order === 0) return branch.value;
      branch = order < 0 ? branch.left : branch.right;
    }
    return undefined;
  }

  /** Sets the value of a range. */
  set(keys: KeySelection, value: T): void {
    this.#root = this.#insert(this.#root, keys, value);
  }

  /** Forgets a range; whether it was held. */
  delete(keys: KeySelection): boolean {
    const before = this.#size;
    this.#root = this.#remove(this.#root, keys);
    return this.#size < before;
  }

  /**
   * Collects the values of all ranges that hold `key`, in the order of the ranges.
   *
   * @param key - to look for
   * @param found - is added to
   */
  collect(key: BinaryString, found: T[]): void {
    collectFrom(this.#root, key, found);
  }

  /** All values, in the order of the ranges. Nothing may be set or deleted meanwhile. */
  forEach(visit: (value: T) => void): void {
    visitAll(this.#root, visit);
  }

  #insert(branch: Branch<T> | undefined, keys: KeySelection, value: T): Branch<T> {
    if (branch === undefined) {
      this.#size += 1;
      const { gte, lt } = keys;
      return { gte, lt, value, height: 1, end: lt, left: undefined, right: undefined };
    }
    const order = compareRanges(keys, branch);
    if (order === 0) {
      branch.value = value;
      return branch;
    }
    if (order < 0) branch.left = this.#insert(branch.left, keys, value);
    else branch.right = this.#insert(branch.right, keys, value);
    return balanced(branch);
  }

  #remove(branch: Branch<T> | undefined, keys: KeySelection): Branch<T> | undefined {
    if (branch === undefined) return undefined;
    const order = compareRanges(keys, branch);
    if (order < 0) branch.left = this.#remove(branch.left, keys);
    else if (order > 0) branch.right = this.#remove(branch.right, keys);
    else {
      this.#size -= 1;
      return joined(branch.left, branch.right);
    }
    return balanced(branch);
  }
}

/** By begin, then by end; no end is the last. */
function compareRanges(a: KeySelection, b: KeySelection): number {
  if (a.gte !== b.gte) return a.gte < b.gte ? -1 : 1;
  if (a.lt === b.lt) return 0;
  if (a.lt === undefined) return 1;
  return b.lt === undefined || a.lt < b.lt ? -1 : 1;
}

function collectFrom<T>(branch: Branch<T> | undefined, key: BinaryString, found: T[]): void {
  let at = branch;
  while (at !== undefined) {
    if (at.end !== undefined && at.end <= key) return;
    if (at.left !== undefined) collectFrom(at.left, key, found);
    // What is to the right begins later still.
    if (at.gte > key) return;
    if (at.lt === undefined || key < at.lt) found.push(at.value);
    at = at.right;
  }
}

function visitAll<T>(branch: Branch<T> | undefined, visit: (value: T) => void): void {
  if (branch === undefined) return;
  visitAll(branch.left, visit);
  visit(branch.value);
  visitAll(branch.right, visit);
}

/** One tree of two, where everything in `left` comes before everything in `right`. */
function joined<T>(
  left: Branch<T> | undefined,
  right: Branch<T> | undefined,
): Branch<T> | undefined {
  if (left === undefined) return right;
  if (right === undefined) return left;
  let first = right;
  while (first.left !== undefined) first = first.left;
  const rest = withoutFirst(right);
  first.left = left;
  first.right = rest;
  return balanced(first);
}

function withoutFirst<T>(branch: Branch<T>): Branch<T> | undefined {
  if (branch.left === undefined) return branch.right;
  branch.left = withoutFirst(branch.left);
  return balanced(branch);
}

/** Restores the balance of a branch whose sides are in balance and differ by 2 at most. */
function balanced<T>(branch: Branch<T>): Branch<T> {
  const lean = heightOf(branch.left) - heightOf(branch.right);
  if (lean > 1) {
    const left = branch.left as Branch<T>;
    if (heightOf(left.left) < heightOf(left.right)) branch.left = raisedRight(left);
    return raisedLeft(branch);
  }
  if (lean < -1) {
    const right = branch.right as Branch<T>;
    if (heightOf(right.right) < heightOf(right.left)) branch.right = raisedLeft(right);
    return raisedRight(branch);
  }
  measure(branch);
  return branch;
}

/** Rotates the left side to the top. */
function raisedLeft<T>(branch: Branch<T>): Branch<T> {
  const top = branch.left as Branch<T>;
  branch.left = top.right;
  measure(branch);
  top.right = branch;
  measure(top);
  return top;
}

/** Rotates the right side to the top. */
function raisedRight<T>(branch: Branch<T>): Branch<T> {
  const top = branch.right as Branch<T>;
  branch.right = top.left;
  measure(branch);
  top.left = branch;
  measure(top);
  return top;
}

function measure<T>(branch: Branch<T>): void {
  const { left, right } = branch;
  branch.height = 1 + Math.max(heightOf(left), heightOf(right));
  let end = branch.lt;
  if (left !== undefined && end !== undefined) end = furthest(end, left.end);
  if (right !== undefined && end !== undefined) end = furthest(end, right.end);
  branch.end = end;
}

function furthest(a: BinaryString, b: BinaryString | undefined): BinaryString | undefined {
  return b === undefined || b > a ? b : a;
}

function heightOf<T>(branch: Branch<T> | undefined): number {
  return branch === undefined ? 0 : branch.height;
}
