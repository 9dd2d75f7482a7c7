/**
 * The rule that one branch of a transaction changes a key at most once, whatever is nested in it: no
 * key is put twice, and none is put that another operation deletes. Deletes may overlap. The two
 * branches of a transaction inside the branch exclude each other, so they may share keys (etcd:
 * v3rpc/key.go, checkIntervals; unlike there, the order of the operations makes no difference).
 *
 * Done by a sweep over sorted keys, not pair by pair: a transaction of a request's size can hold
 * tens of thousands of puts and as many deletes, and every member checks it when it applies it.
 */
import type { BinaryString } from '../base/bytes.js';
import type { Operation } from './types.js';

/** A key that is put, or one end of a selection that is deleted. */
interface Mark {
  readonly key: BinaryString;
  /** Position of the operation that it comes from, in the branch that is looked at. */
  owner: number;
}

/** What the operations of a branch change, each in the order of keys. */
interface Changes {
  readonly puts: Mark[];
  readonly starts: Mark[];
  readonly ends: Mark[];
}

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
  const changes: Changes = { puts: [], starts: [], ends: [] };
  for (let owner = 0; owner < operations.length; owner += 1) {
    const key = collect(operations[owner] as Operation, owner, changes);
    if (key !== undefined) return key;
  }
  // What was nested is in order by now, and such runs are merged: each level costs a walk, not another sort.
  for (const marks of Object.values(changes)) marks.sort(byKey);
  return putTwice(changes.puts) ?? putAndDeleted(changes) ?? changes;
}

/** @returns a key that a branch in the operation changes more than once */
function collect(operation: Operation, owner: number, changes: Changes): BinaryString | undefined {
  if (operation.op === 'put') changes.puts.push({ key: operation.key, owner });
  if (operation.op === 'delete') {
    const { gte, lt } = operation.keys;
    if (lt !== undefined && lt <= gte) return undefined;
    changes.starts.push({ key: gte, owner });
    if (lt !== undefined) changes.ends.push({ key: lt, owner });
  }
  if (operation.op !== 'txn') return undefined;
  for (const branch of [operation.success, operation.failure]) {
    const inner = changesOf(branch);
    if (typeof inner === 'string') return inner;
    take(inner.puts, owner, changes.puts);
    take(inner.starts, owner, changes.starts);
    take(inner.ends, owner, changes.ends);
  }
  return undefined;
}

function take(marks: readonly Mark[], owner: number, into: Mark[]): void {
  for (const mark of marks) {
    mark.owner = owner;
    into.push(mark);
  }
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
function putAndDeleted({ puts, starts, ends }: Changes): BinaryString | undefined {
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

function byKey(a: Mark, b: Mark): number {
  if (a.key === b.key) return a.owner - b.owner;
  return a.key < b.key ? -1 : 1;
}
