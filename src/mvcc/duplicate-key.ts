/**
 * The rule that one branch of a transaction changes a key at most once, whatever is nested in it: no
 * key is put twice, and none is put that another operation deletes. Deletes may overlap. The two
 * branches of a transaction inside the branch exclude each other, so they may share keys (etcd:
 * v3rpc/key.go, checkIntervals; unlike there, the order of the operations makes no difference).
 *
 * Done by a sweep over sorted keys, not pair by pair: a transaction of a request's size can hold
 * tens of thousands of puts and as many deletes, and every member checks it when it applies it. And what is
 * nested deeply is not sorted at each level again: the largest part of a branch stays as it is, and the
 * others are looked up in it.
 */
import type { BinaryString } from '../base/bytes.js';
import { lowerBound } from '../base/sorted-keys.js';
import type { Operation } from './types.js';

/** A key that is put, or one end of a selection that is deleted. */
interface Mark {
  readonly key: BinaryString;
  /** Position of the operation that it comes from, in the branch that is looked at. */
  readonly owner: number;
}

/** What the operations of a branch change, each ascending. */
interface Changes {
  puts: BinaryString[];
  /** Where selections that are deleted begin, and where they end, if they do. */
  starts: BinaryString[];
  ends: BinaryString[];
}

/** The same, of several operations. */
interface MarkedChanges {
  readonly puts: Mark[];
  readonly starts: Mark[];
  readonly ends: Mark[];
}

const kinds = ['puts', 'starts', 'ends'] as const;
/** So many times as many as there are to be added: then a walk over all is no dearer than a search for each. */
const manyTimes = 16;

/**
 * A key that the branch, or one of those in it, changes more than once; `undefined` when there is none.
 *
 * @param operations - of one branch
 * @since 0.1.0
 */
export function duplicateKey(operations: readonly Operation[]): BinaryString | undefined {
  const changes = changesOf(operations);
  return typeof changes === 'string' ? changes : undefined;
}

/** All changes of a branch, or a key that it changes more than once. */
function changesOf(operations: readonly Operation[]): Changes | BinaryString {
  const others: MarkedChanges = { puts: [], starts: [], ends: [] };
  let largest = noChanges();
  let ownerOfLargest = -1;
  for (let owner = 0; owner < operations.length; owner += 1) {
    const operation = operations[owner] as Operation;
    if (operation.op === 'put') others.puts.push({ key: operation.key, owner });
    else if (operation.op === 'delete') markDelete(operation.keys, owner, others);
    else if (operation.op === 'txn') {
      const inner = changesOfBoth(operation.success, operation.failure);
      if (typeof inner === 'string') return inner;
      const isLargest = sizeOf(inner) > sizeOf(largest);
      if (isLargest) mark(largest, ownerOfLargest, others);
      else mark(inner, owner, others);
      if (isLargest) [largest, ownerOfLargest] = [inner, owner];
    }
  }
  for (const kind of kinds) others[kind].sort(byKey);
  const found = putTwice(others.puts) ?? putAndDeleted(others) ?? putInBoth(others, largest);
  if (found !== undefined) return found;
  for (const kind of kinds) largest[kind] = merged(largest[kind], keysOf(others[kind]));
  return largest;
}

/** The two branches of a transaction exclude each other. */
function changesOfBoth(
  success: readonly Operation[],
  failure: readonly Operation[],
): Changes | BinaryString {
  const one = changesOf(success);
  if (typeof one === 'string') return one;
  const other = changesOf(failure);
  if (typeof other === 'string') return other;
  const [large, small] = sizeOf(one) < sizeOf(other) ? [other, one] : [one, other];
  for (const kind of kinds) large[kind] = merged(large[kind], small[kind]);
  return large;
}

function noChanges(): Changes {
  return { puts: [], starts: [], ends: [] };
}

function sizeOf({ puts, starts }: Changes): number {
  return puts.length + starts.length;
}

function markDelete(
  { gte, lt }: { readonly gte: BinaryString; readonly lt?: BinaryString | undefined },
  owner: number,
  into: MarkedChanges,
): void {
  if (lt !== undefined && lt <= gte) return;
  into.starts.push({ key: gte, owner });
  if (lt !== undefined) into.ends.push({ key: lt, owner });
}

function mark(changes: Changes, owner: number, into: MarkedChanges): void {
  for (const kind of kinds) for (const key of changes[kind]) into[kind].push({ key, owner });
}

function keysOf(marks: readonly Mark[]): BinaryString[] {
  return marks.map(({ key }) => key);
}

/** Two ascending lists as one; the larger is used up. */
function merged(one: BinaryString[], other: BinaryString[]): BinaryString[] {
  const [large, small] = one.length < other.length ? [other, one] : [one, other];
  if (small.length * manyTimes < large.length) {
    for (const key of small) large.splice(lowerBound(large, key), 0, key);
    return large;
  }
  const all: BinaryString[] = [];
  let at = 0;
  for (const key of small) {
    for (; at < large.length && (large[at] as BinaryString) < key; at += 1) {
      all.push(large[at] as BinaryString);
    }
    all.push(key);
  }
  for (; at < large.length; at += 1) all.push(large[at] as BinaryString);
  return all;
}

function putTwice(puts: readonly Mark[]): BinaryString | undefined {
  for (let at = 1; at < puts.length; at += 1) {
    const { key, owner } = puts[at] as Mark;
    const before = puts[at - 1] as Mark;
    // Within one owner only the two sides of a transaction share a key.
    if (before.key === key && before.owner !== owner) return key;
  }
  return undefined;
}

/** Goes up the keys and counts the deletes each lies in, those of its own operation apart. */
function putAndDeleted({ puts, starts, ends }: MarkedChanges): BinaryString | undefined {
  if (starts.length === 0) return undefined;
  const openOf = new Map<number, number>();
  let open = 0;
  let start = 0;
  let end = 0;
  const count = (owner: number, by: number): void => {
    open += by;
    openOf.set(owner, (openOf.get(owner) ?? 0) + by);
  };
  for (const { key, owner } of puts) {
    for (; start < starts.length && (starts[start] as Mark).key <= key; start += 1) {
      count((starts[start] as Mark).owner, 1);
    }
    for (; end < ends.length && (ends[end] as Mark).key <= key; end += 1) {
      count((ends[end] as Mark).owner, -1);
    }
    if (open > (openOf.get(owner) ?? 0)) return key;
  }
  return undefined;
}

/** A key that one of the others puts and the largest changes, or the other way round. */
function putInBoth(others: MarkedChanges, largest: Changes): BinaryString | undefined {
  for (const { key } of others.puts) {
    if (largest.puts[lowerBound(largest.puts, key)] === key || isDeleted(largest, key)) return key;
  }
  const { puts } = largest;
  if (puts.length === 0) return undefined;
  let open = 0;
  let end = 0;
  // All that the others delete is made of stretches, from a start to where as many ended as began.
  for (const [at, { key }] of others.starts.entries()) {
    for (; end < others.ends.length && (others.ends[end] as Mark).key <= key; end += 1) open -= 1;
    open += 1;
    const next = others.starts[at + 1]?.key;
    const found = puts[lowerBound(puts, key)];
    if (found === undefined) return undefined;
    if (next !== undefined && found >= next) continue;
    if (isOpenAt(others.ends, end, open, found)) return found;
  }
  return undefined;
}

/** Whether any of the selections that are open before `ends[from]` is still open at a key. */
function isOpenAt(ends: readonly Mark[], from: number, open: number, key: BinaryString): boolean {
  let left = open;
  for (let at = from; at < ends.length && (ends[at] as Mark).key <= key; at += 1) left -= 1;
  return left > 0;
}

function isDeleted({ starts, ends }: Changes, key: BinaryString): boolean {
  // Of those that begin at the key or before it, some do not end there.
  return lowerBound(starts, `${key}\0`) > lowerBound(ends, `${key}\0`);
}

function byKey(a: Mark, b: Mark): number {
  if (a.key === b.key) return a.owner - b.owner;
  return a.key < b.key ? -1 : 1;
}
