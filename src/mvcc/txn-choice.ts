/**
 * Which branches of a transaction run. All compares, those of transactions inside it included, are
 * asked of the state before the whole, so the choice is made before anything is changed (etcd:
 * txn/txn.go, compareToPath).
 */
import { rangesOf, rangesOfBranch, rangesOfKeys } from './command-plan.js';
import { compareHolds } from './compare.js';
import { storedCurrent } from './range-read.js';
import { eachSlice, type RangeSlice, type Steps } from './range-slices.js';
import type { ReadView } from './read-view.js';
import { currentRange } from './record-keys.js';
import { singleKey } from './selection.js';
import type { Compare, Operation, TxnCommand } from './types.js';

/** One operation of a branch that runs. @since 0.1.0 */
export interface TxnStep {
  readonly operation: Operation;
  /** Place of its first range in the plan, if they were planned. */
  readonly rangeAt: number;
  /** What runs of a transaction inside the branch; present for `op: 'txn'` only. */
  readonly inner?: TxnChoice;
}

/** A transaction with its branch chosen. @since 0.1.0 */
export interface TxnChoice {
  readonly succeeded: boolean;
  readonly steps: readonly TxnStep[];
}

/**
 * Chooses the branches that run.
 *
 * @param command - a faultless transaction
 * @param view - the answer to its plan
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function chooseBranches(command: TxnCommand, view: ReadView): Steps<TxnChoice> {
  return choose(command, view, 0);
}

/** @param from - place in the plan of the transaction's first range */
function* choose(command: TxnCommand, view: ReadView, from: number): Steps<TxnChoice> {
  const { compares, success, failure } = command;
  let rangeAt = from;
  let succeeded = true;
  for (const compare of compares) {
    const { keys } = compare;
    const isRead = view.slice === undefined || singleKey(keys) !== undefined;
    if (succeeded && isRead) succeeded = compareHolds(compare, storedCurrent(keys, view, rangeAt));
    else if (succeeded) succeeded = yield* holds(compare, view.slice);
    rangeAt += rangesOfKeys(keys);
  }
  if (!succeeded) rangeAt += rangesOfBranch(success);
  const steps: TxnStep[] = [];
  for (const operation of succeeded ? success : failure) {
    if (operation.op !== 'txn') steps.push({ operation, rangeAt });
    else steps.push({ operation, rangeAt, inner: yield* choose(operation, view, rangeAt) });
    rangeAt += rangesOf(operation);
  }
  return { succeeded, steps };
}

function* holds(compare: Compare, slice: RangeSlice | undefined): Steps<boolean> {
  let all = true;
  let isFirst = true;
  yield* eachSlice({ ...currentRange(compare.keys), ...slice }, (records) => {
    // That nothing is selected at all shows in the first slice only.
    if (isFirst || records.length > 0) all = compareHolds(compare, records);
    isFirst = false;
    return all;
  });
  return all;
}
