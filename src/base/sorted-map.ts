/**
 * A sorted map whose past can be kept at no cost: a B+ tree that copies the path to a change once
 * after each `snapshot`, and edits in place otherwise. The memory engine needs old views (cursors,
 * what was synced) beside random inserts; a sorted array would copy everything for each.
 */
import type { BinaryString } from './bytes.js';
import { lowerBound } from './sorted-keys.js';

const nodeKeysMax = 64;

/** From `gte` to before `lt`. */
interface KeyRange {
  readonly gte: BinaryString;
  readonly lt: BinaryString;
}

/** @since 0.1.0 */
export type SortedPair<V> = readonly [BinaryString, V];

/** Marks the nodes one map may edit in place; all others are shared with a snapshot. */
interface Owner {
  readonly brand: 'owner';
}

interface Leaf<V> {
  readonly owner: Owner;
  readonly keys: BinaryString[];
  readonly values: V[];
}

/** `keys[i]` is at or below every key in `children[i + 1]` and above all in `children[i]`. */
interface Branch<V> {
  readonly owner: Owner;
  readonly keys: BinaryString[];
  readonly children: TreeNode<V>[];
}

type TreeNode<V> = Leaf<V> | Branch<V>;

/**
 * Binary strings to bytes, or to something else, in key order.
 *
 * @since 0.1.0
 */
export class SortedMap<V extends object | null = Uint8Array> {
  #root: TreeNode<V>;
  #owner: Owner = { brand: 'owner' };

  constructor(root?: TreeNode<V>) {
    this.#root = root ?? { owner: this.#owner, keys: [], values: [] };
  }

  /** A map of the same contents; neither sees the other's later changes. O(1). */
  snapshot(): SortedMap<V> {
    this.#owner = { brand: 'owner' };
    return new SortedMap<V>(this.#root);
  }

  get(key: BinaryString): V | undefined {
    let node = this.#root;
    while ('children' in node) node = node.children[childAt(node, key)] as TreeNode<V>;
    const at = lowerBound(node.keys, key);
    return node.keys[at] === key ? node.values[at] : undefined;
  }

  set(key: BinaryString, value: V): void {
    this.#root = this.#editable(this.#root);
    const right = this.#insert(this.#root, key, value);
    if (right === undefined) return;
    const children = [this.#root, right.node];
    this.#root = { owner: this.#owner, keys: [right.from], children };
  }

  delete(key: BinaryString): void {
    if (this.get(key) === undefined) return;
    this.#root = this.#editable(this.#root);
    this.#remove(this.#root, key);
    while ('children' in this.#root && this.#root.children.length <= 1) {
      const only = this.#root.children[0];
      this.#root = only ?? { owner: this.#owner, keys: [], values: [] };
    }
  }

  /** Up to `count` pairs of the range, from its low end, or from its high end when `reverse`. */
  collect(range: KeyRange, count: number, reverse: boolean): SortedPair<V>[] {
    const out: SortedPair<V>[] = [];
    if (range.gte >= range.lt || count <= 0) return out;
    if (reverse) collectDown(this.#root, range, count, out);
    else collectUp(this.#root, range, count, out);
    return out;
  }

  #editable(node: TreeNode<V>): TreeNode<V> {
    if (node.owner === this.#owner) return node;
    const keys = node.keys.slice();
    if ('children' in node) return { owner: this.#owner, keys, children: node.children.slice() };
    return { owner: this.#owner, keys, values: node.values.slice() };
  }

  #editableChild(branch: Branch<V>, at: number): TreeNode<V> {
    const child = this.#editable(branch.children[at] as TreeNode<V>);
    branch.children[at] = child;
    return child;
  }

  /** Inserts below an editable node; when it had to split, returns its new right neighbour. */
  #insert(node: TreeNode<V>, key: BinaryString, value: V): Split<V> | undefined {
    if ('children' in node) {
      const at = childAt(node, key);
      const right = this.#insert(this.#editableChild(node, at), key, value);
      if (right !== undefined) {
        node.keys.splice(at, 0, right.from);
        node.children.splice(at + 1, 0, right.node);
      }
    } else {
      const at = lowerBound(node.keys, key);
      if (node.keys[at] === key) {
        node.values[at] = value;
      } else {
        node.keys.splice(at, 0, key);
        node.values.splice(at, 0, value);
      }
    }
    return node.keys.length > nodeKeysMax ? this.#split(node) : undefined;
  }

  #split(node: TreeNode<V>): Split<V> {
    const middle = node.keys.length >> 1;
    const keys = node.keys.splice(middle);
    if (!('children' in node)) {
      const from = keys[0] as BinaryString;
      return { from, node: { owner: this.#owner, keys, values: node.values.splice(middle) } };
    }
    const from = keys.shift() as BinaryString;
    return { from, node: { owner: this.#owner, keys, children: node.children.splice(middle + 1) } };
  }

  /** Empty nodes go; half-empty ones stay, since nothing here depends on a balanced fill. */
  #remove(node: TreeNode<V>, key: BinaryString): void {
    if (!('children' in node)) {
      const at = lowerBound(node.keys, key);
      node.keys.splice(at, 1);
      node.values.splice(at, 1);
      return;
    }
    const at = childAt(node, key);
    const child = this.#editableChild(node, at);
    this.#remove(child, key);
    const isEmpty = 'children' in child ? child.children.length === 0 : child.keys.length === 0;
    if (!isEmpty) return;
    node.children.splice(at, 1);
    node.keys.splice(Math.max(0, at - 1), 1);
  }
}

interface Split<V> {
  /** Smallest key that belongs to `node`. */
  readonly from: BinaryString;
  readonly node: TreeNode<V>;
}

function collectUp<V>(
  node: TreeNode<V>,
  range: KeyRange,
  count: number,
  out: SortedPair<V>[],
): void {
  if ('children' in node) {
    for (let at = childAt(node, range.gte); at < node.children.length; at += 1) {
      if (out.length >= count) return;
      if (at > 0 && (node.keys[at - 1] as BinaryString) >= range.lt) return;
      collectUp(node.children[at] as TreeNode<V>, range, count, out);
    }
    return;
  }
  for (let at = lowerBound(node.keys, range.gte); at < node.keys.length; at += 1) {
    const key = node.keys[at] as BinaryString;
    if (out.length >= count || key >= range.lt) return;
    out.push([key, node.values[at] as V]);
  }
}

function collectDown<V>(
  node: TreeNode<V>,
  range: KeyRange,
  count: number,
  out: SortedPair<V>[],
): void {
  if ('children' in node) {
    for (let at = childAt(node, range.lt); at >= 0; at -= 1) {
      if (out.length >= count) return;
      collectDown(node.children[at] as TreeNode<V>, range, count, out);
      if (at > 0 && (node.keys[at - 1] as BinaryString) <= range.gte) return;
    }
    return;
  }
  for (let at = lowerBound(node.keys, range.lt) - 1; at >= 0; at -= 1) {
    const key = node.keys[at] as BinaryString;
    if (out.length >= count || key < range.gte) return;
    out.push([key, node.values[at] as V]);
  }
}

/** The child whose keys `key` belongs among. */
function childAt<V>(branch: Branch<V>, key: BinaryString): number {
  let lo = 0;
  let hi = branch.keys.length;
  while (lo < hi) {
    const middle = (lo + hi) >> 1;
    if ((branch.keys[middle] as BinaryString) <= key) lo = middle + 1;
    else hi = middle;
  }
  return lo;
}
