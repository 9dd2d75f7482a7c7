/**
 * What a command must read before it can execute. Planning and execution walk a command's
 * operations in the same order, so the place of a range in the plan is a running count.
 */
import { unreachable } from '../base/assert.js';
import { planRange, rangesOfRange } from './range-read.js';
import type { ReadPlanDraft } from './read-view.js';
import { currentKey, currentRange } from './record-keys.js';
import { singleKey } from './selection.js';
import type { Command, KeySelection, Operation } from './types.js';

/**
 * Adds the first reads of `command`. Both branches of a transaction are read, because which one
 * runs is only known from the reads.
 *
 * @param command - any command
 * @param plan - is added to
 * @since 0.1.0
 */
export function planCommand(command: Command, plan: ReadPlanDraft): void {
  switch (command.op) {
    case 'put':
      plan.keys.push(currentKey(command.key));
      return;
    case 'delete':
      planDelete(command.keys, plan);
      return;
    case 'txn':
      for (const { key } of command.compares) plan.keys.push(currentKey(key));
      planBranch(command.success, plan);
      planBranch(command.failure, plan);
      return;
    default:
      return unreachable(command);
  }
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
      return singleKey(operation.keys) === undefined ? 1 : 0;
    case 'range':
      return rangesOfRange(operation);
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

function planBranch(operations: readonly Operation[], plan: ReadPlanDraft): void {
  const spare = deletesOf(operations);
  for (const operation of operations) {
    if (operation.op === 'put') plan.keys.push(currentKey(operation.key));
    else if (operation.op === 'delete') planDelete(operation.keys, plan);
    else planRange(operation, plan, spare);
  }
}

/** A limited range must read past keys that earlier deletes of its branch take away. */
function deletesOf(operations: readonly Operation[]): number {
  let count = 0;
  for (const operation of operations) {
    if (operation.op !== 'delete') continue;
    if (singleKey(operation.keys) === undefined) return Infinity;
    count += 1;
  }
  return count;
}

function planDelete(keys: KeySelection, plan: ReadPlanDraft): void {
  const single = singleKey(keys);
  if (single === undefined) plan.ranges.push(currentRange(keys));
  else plan.keys.push(currentKey(single));
}
