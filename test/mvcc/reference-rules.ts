/**
 * What a command means by itself, for the reference model: selections, compares, and the rule that a
 * branch changes a key once, pair by pair.
 */
import type {
  Compare,
  KeySelection,
  KeyVersion,
  Operation,
  TxnCommand,
} from '../../src/mvcc/index.js';

type Write = Operation & { op: 'put' | 'delete' };

export function isIn({ gte, lt }: KeySelection, key: string): boolean {
  return key >= gte && (lt === undefined || key < lt);
}

/** `DUPLICATE_KEY`, for each two operations of a branch that change the same key. */
export function staticFault(operation: Operation): string | undefined {
  if (operation.op !== 'txn') return undefined;
  for (const branch of [operation.success, operation.failure]) {
    for (const each of branch) {
      const found = staticFault(each);
      if (found !== undefined) return found;
    }
    const writes = branch.map(writesOf);
    for (const [at, some] of writes.entries()) {
      for (let other = at + 1; other < writes.length; other += 1) {
        if (some.some((a) => writes[other]!.some((b) => clashes(a, b)))) return 'DUPLICATE_KEY';
      }
    }
  }
  return undefined;
}

/** What of an operation changes keys: puts and deletes, each by itself. */
function writesOf(operation: Operation): Write[] {
  if (operation.op === 'range') return [];
  if (operation.op !== 'txn') return [operation];
  return [...operation.success, ...operation.failure].flatMap(writesOf);
}

function clashes(a: Write, b: Write): boolean {
  if (a.op === 'put') return b.op === 'put' ? a.key === b.key : isIn(b.keys, a.key);
  return b.op === 'put' && isIn(a.keys, b.key);
}

/** Whether every selected pair meets the condition; none counts as one that never was. */
export function holds(compare: Compare, state: readonly KeyVersion[]): boolean {
  const kvs = state.filter(({ key }) => isIn(compare.keys, key));
  if (kvs.length === 0) return holdsFor(compare, undefined);
  return kvs.every((kv) => holdsFor(compare, kv));
}

function holdsFor(compare: Compare, kv: KeyVersion | undefined): boolean {
  if (compare.target === 'value') {
    if (kv === undefined) return false;
    return relation(latin1(kv.value), latin1(compare.operand), compare.result);
  }
  const field = {
    version: kv?.version ?? 0,
    'create-revision': kv?.createRevision ?? 0,
    'mod-revision': kv?.modRevision ?? 0,
    lease: kv?.lease ?? 0n,
  }[compare.target];
  return relation(field, compare.operand, compare.result);
}

function relation<T>(a: T, b: T, result: Compare['result']): boolean {
  if (result === 'equal') return a === b;
  if (result === 'not-equal') return a !== b;
  return result === 'greater' ? a > b : a < b;
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** The same transaction with its writes taken out. */
export function reading(txn: TxnCommand): TxnCommand {
  const only = (branch: TxnCommand['success']): TxnCommand['success'] =>
    branch
      .filter(({ op }) => op === 'range' || op === 'txn')
      .map((it) => (it.op === 'txn' ? reading(it) : it));
  return { ...txn, success: only(txn.success), failure: only(txn.failure) };
}
