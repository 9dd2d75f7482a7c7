/**
 * What must be read before a command can execute: single keys, together. Ranges are read while it
 * runs, one after the other and a slice at a time: a request has room for tens of thousands of them, in
 * branches that do not run, too, and the first slices of all at once would be more than a process holds.
 *
 * A query is of one moment, so all of it is planned. Planning and execution walk its operations in the
 * same order, so the place of a range in the plan is a running count.
 */
import { assert, unreachable } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { planLease } from './lease-run.js';
import { isOldRange, planRange, rangesOfRange } from './range-read.js';
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
 * @param slice - how much to read of the names of a lease's keys, the rest of which is planned when the
 *   command runs
 * @since 0.1.0
 */
export function planCommand(command: Command, plan: ReadPlanDraft, slice: RangeSlice): void {
  switch (command.op) {
    case 'put':
      plan.keys.push(currentKey(command.key));
      return;
    case 'delete': {
      const single = singleKey(command.keys);
      if (single !== undefined) plan.keys.push(currentKey(single));
      return;
    }
    case 'txn': {
      const keys = new Set<BinaryString>();
      keysOfTxn(command, keys);
      for (const key of keys) plan.keys.push(currentKey(key));
      return;
    }
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
 * Whether a command reads more than single keys, when it runs.
 *
 * @since 0.1.0
 */
export function readsRanges(command: Command): boolean {
  if (command.op === 'lease-revoke') return true;
  return (command.op === 'delete' || command.op === 'txn') && rangesOf(command) > 0;
}

/**
 * How much a command does beside reading ranges, in operations; of a transaction all of its branches.
 *
 * @since 0.1.0
 */
export function workOf(command: Command | Operation): number {
  if (command.op === 'lease-checkpoint') return command.leases.length;
  if (command.op !== 'txn') return 1;
  let work = 1 + command.compares.length;
  for (const each of command.success) work += workOf(each);
  for (const each of command.failure) work += workOf(each);
  return work;
}

/**
 * Adds all reads of a transaction that is read only, but for history.
 *
 * @param txn - the transaction
 * @param plan - is added to
 * @since 0.1.0
 */
export function planTxnQuery(
  { compares, success, failure }: TxnCommand,
  plan: ReadPlanDraft,
): void {
  for (const { keys } of compares) planKeys(keys, plan);
  for (const operation of [...success, ...failure]) {
    if (operation.op === 'txn') {
      planTxnQuery(operation, plan);
    } else {
      assert(operation.op === 'range', 'a query changes nothing');
      planRange(operation, plan);
    }
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

/** Each key once: thousands of operations may name the same, and its value may be large. */
function keysOfTxn({ compares, success, failure }: TxnCommand, keys: Set<BinaryString>): void {
  for (const compare of compares) addSingle(compare.keys, keys);
  for (const branch of [success, failure]) {
    for (const operation of branch) {
      if (operation.op === 'put') keys.add(operation.key);
      else if (operation.op === 'txn') keysOfTxn(operation, keys);
      else if (operation.op === 'delete' || !isOldRange(operation)) addSingle(operation.keys, keys);
    }
  }
}

function addSingle(selection: KeySelection, keys: Set<BinaryString>): void {
  const single = singleKey(selection);
  if (single !== undefined) keys.add(single);
}

function planKeys(keys: KeySelection, plan: ReadPlanDraft): void {
  const single = singleKey(keys);
  if (single === undefined) plan.ranges.push(currentRange(keys));
  else plan.keys.push(currentKey(single));
}
