/**
 * What a command must read before it can execute. Planning and execution walk a command's
 * operations in the same order, so the place of a range in the plan is a running count.
 */
import { unreachable } from '../base/assert.js';
import { planLease } from './lease-run.js';
import { planRange, rangesOfRange } from './range-read.js';
import type { RangeSlice } from './range-slices.js';
import type { ReadPlanDraft } from './read-view.js';
import { currentKey, currentRange } from './record-keys.js';
import { singleKey } from './selection.js';
import type { Command, KeySelection, Operation, TxnCommand } from './types.js';

/**
 * Adds the first reads of `command`. Both branches of a transaction are read, because which one
 * runs is only known from the reads.
 *
 * @param command - any command
 * @param plan - is added to
 * @param slice - how much to read of what is deleted or compared, the rest of which is planned when
 *   the command runs; default all
 * @since 0.1.0
 */
export function planCommand(command: Command, plan: ReadPlanDraft, slice?: RangeSlice): void {
  switch (command.op) {
    case 'put':
      plan.keys.push(currentKey(command.key));
      return;
    case 'delete':
      planKeys(command.keys, plan, slice);
      return;
    case 'txn':
      planTxn(command, plan, 0, slice);
      return;
    case 'compact':
    case 'read-lease':
    case 'session-open':
    case 'alarm':
      return;
    case 'lease-grant':
    case 'lease-revoke':
    case 'lease-checkpoint':
      return planLease(command, plan, slice);
    default:
      return unreachable(command);
  }
}

/**
 * How many ranges a selection plans when only current versions are read.
 *
 * @since 0.1.0
 */
export function rangesOfKeys(keys: KeySelection): number {
  return singleKey(keys) === undefined ? 1 : 0;
}

/**
 * How many ranges an operation plans.
 *
 * @since 0.1.0
 */
export function rangesOf(operation: Operation): number {
  switch (operation.op) {
    case 'put':
      return 0;
    case 'delete':
      return rangesOfKeys(operation.keys);
    case 'range':
      return rangesOfRange(operation);
    case 'txn': {
      let count = rangesOfBranch(operation.success) + rangesOfBranch(operation.failure);
      for (const { keys } of operation.compares) count += rangesOfKeys(keys);
      return count;
    }
    default:
      return unreachable(operation);
  }
}

/**
 * How many ranges a branch plans.
 *
 * @since 0.1.0
 */
export function rangesOfBranch(operations: readonly Operation[]): number {
  let count = 0;
  for (const operation of operations) count += rangesOf(operation);
  return count;
}

/** Compares first, then the one branch, then the other. */
function planTxn(
  { compares, success, failure }: TxnCommand,
  plan: ReadPlanDraft,
  spare: number,
  slice: RangeSlice | undefined,
): void {
  for (const { keys } of compares) planKeys(keys, plan, slice);
  planBranch(success, plan, spare, slice);
  planBranch(failure, plan, spare, slice);
}

/** @param spare - keys that operations around the branch may delete */
function planBranch(
  operations: readonly Operation[],
  plan: ReadPlanDraft,
  spare: number,
  slice: RangeSlice | undefined,
): void {
  const ownSpare = spare + deletesOf(operations);
  for (const operation of operations) {
    switch (operation.op) {
      case 'put':
        plan.keys.push(currentKey(operation.key));
        break;
      case 'delete':
        planKeys(operation.keys, plan, slice);
        break;
      case 'range':
        planRange(operation, plan, ownSpare);
        break;
      case 'txn':
        planTxn(operation, plan, ownSpare, slice);
        break;
      default:
        unreachable(operation);
    }
  }
}

/** A limited range must read past keys that earlier deletes of its branch take away. */
function deletesOf(operations: readonly Operation[]): number {
  let count = 0;
  for (const operation of operations) {
    if (operation.op === 'txn') {
      count += deletesOf(operation.success) + deletesOf(operation.failure);
    } else if (operation.op === 'delete') {
      if (singleKey(operation.keys) === undefined) return Infinity;
      count += 1;
    }
  }
  return count;
}

function planKeys(keys: KeySelection, plan: ReadPlanDraft, slice: RangeSlice | undefined): void {
  const single = singleKey(keys);
  if (single === undefined) plan.ranges.push({ ...currentRange(keys), ...slice });
  else plan.keys.push(currentKey(single));
}
