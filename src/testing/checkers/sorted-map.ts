/**
 * An immutable sorted map: a change gives a new one and leaves the old one as it was, so that a state of
 * every revision costs no more than what changed. A treap whose priorities are hashes of the keys: equal
 * contents have equal shapes.
 */
import { finish32, hashText, mix32 } from '../sim-hash.js';

type Key = bigint | number | string;

interface Node<K, V> {
  readonly key: K;
  readonly value: V;
  readonly priority: number;
  readonly left: Tree<K, V>;
  readonly right: Tree<K, V>;
}

type Tree<K, V> = Node<K, V> | undefined;

/**
 * Keys of one type, in ascending order. Every change costs about the logarithm of the size.
 *
 * @since 0.1.0
 */
export class SortedMap<K extends Key, V> {
  readonly #root: Tree<K, V>;

  /** Made by {@link SortedMap.empty}. */
  private constructor(root: Tree<K, V>) {
    this.#root = root;
  }

  static empty<K extends Key, V>(): SortedMap<K, V> {
    return new SortedMap<K, V>(undefined);
  }

  get(key: K): V | undefined {
    let node = this.#root;
    while (node !== undefined && node.key !== key) node = key < node.key ? node.left : node.right;
    return node?.value;
  }

  set(key: K, value: V): SortedMap<K, V> {
    return new SortedMap(withKey(this.#root, key, value));
  }

  delete(key: K): SortedMap<K, V> {
    return this.get(key) === undefined ? this : new SortedMap(withoutKey(this.#root, key));
  }

  /** Values of the keys from `gte` (absent: the first) to `lt`, exclusive (absent: the last). */
  range(gte?: K, lt?: K): V[] {
    const values: V[] = [];
    collect(this.#root, gte, lt, values);
    return values;
  }
}

function withKey<K extends Key, V>(tree: Tree<K, V>, key: K, value: V): Node<K, V> {
  if (tree === undefined) {
    return { key, value, priority: priorityOf(key), left: undefined, right: undefined };
  }
  if (key === tree.key) return { ...tree, value };
  if (key < tree.key) {
    const left = withKey(tree.left, key, value);
    if (left.priority <= tree.priority) return { ...tree, left };
    return { ...left, right: { ...tree, left: left.right } };
  }
  const right = withKey(tree.right, key, value);
  if (right.priority <= tree.priority) return { ...tree, right };
  return { ...right, left: { ...tree, right: right.left } };
}

function withoutKey<K extends Key, V>(tree: Tree<K, V>, key: K): Tree<K, V> {
  if (tree === undefined) return undefined;
  if (key === tree.key) return joined(tree.left, tree.right);
  if (key < tree.key) return { ...tree, left: withoutKey(tree.left, key) };
  return { ...tree, right: withoutKey(tree.right, key) };
}

/** Of two trees with all keys of the first before those of the second. */
function joined<K, V>(left: Tree<K, V>, right: Tree<K, V>): Tree<K, V> {
  if (left === undefined) return right;
  if (right === undefined) return left;
  return left.priority > right.priority
    ? { ...left, right: joined(left.right, right) }
    : { ...right, left: joined(left, right.left) };
}

function collect<K extends Key, V>(
  tree: Tree<K, V>,
  gte: K | undefined,
  lt: K | undefined,
  values: V[],
): void {
  if (tree === undefined) return;
  const isFrom = gte === undefined || tree.key >= gte;
  const isTo = lt === undefined || tree.key < lt;
  if (isFrom) collect(tree.left, gte, lt, values);
  if (isFrom && isTo) values.push(tree.value);
  if (isTo) collect(tree.right, gte, lt, values);
}

function priorityOf(key: Key): number {
  return typeof key === 'number' ? finish32(mix32(0, key)) : hashText(String(key));
}
