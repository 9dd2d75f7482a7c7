/**
 * What makes a command wrong by itself, whatever the state. The proposer checks with
 * {@link checkCommand}; apply asks {@link commandFault} again, so that a command that came another
 * way is refused in the same way on every member. Limits are the proposer's alone: apply consults
 * no option and no limit, which may differ between members (DESIGN §4.5).
 */
import { unreachable } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { selects, singleKey } from './selection.js';
import type { Command, Compare, KeySelection, Operation, RangeOperation } from './types.js';

const leaseMin = -(2n ** 63n);
const leaseEnd = 2n ** 63n;

type FaultCode = 'ARGUMENT_INVALID' | 'DUPLICATE_KEY' | 'KEY_EMPTY' | 'TOO_MANY_OPERATIONS';

/**
 * Throws unless a command may be proposed. Sizes are checked by the codec's user, on the encoding.
 *
 * @param command - what is about to be proposed
 * @throws {KontikiError} KEY_EMPTY, TOO_MANY_OPERATIONS, DUPLICATE_KEY, ARGUMENT_INVALID; outcome
 *   `rejected`
 * @since 0.1.0
 */
export function checkCommand(command: Command): void {
  if (command.op === 'txn') {
    const { compares, success, failure } = command;
    const count = Math.max(compares.length, success.length, failure.length);
    if (count > limits.transactionOperationsMax) {
      const max = limits.transactionOperationsMax;
      throw fault('TOO_MANY_OPERATIONS', `at most ${max} operations in a branch, got ${count}`);
    }
  }
  const found = commandFault(command);
  if (found !== undefined) throw found;
}

/**
 * What is wrong with a command by itself, limits aside; `undefined` when it can be executed.
 *
 * @param command - any command
 * @since 0.1.0
 */
export function commandFault(command: Command): KontikiError | undefined {
  switch (command.op) {
    case 'txn':
      return (
        firstFault(command.compares, compareFault) ??
        branchFault(command.success) ??
        branchFault(command.failure)
      );
    default:
      return operationFault(command);
  }
}

/**
 * What is wrong with one operation by itself.
 *
 * @param operation - any operation
 * @since 0.1.0
 */
export function operationFault(operation: Operation): KontikiError | undefined {
  switch (operation.op) {
    case 'put':
      if (!(operation.value instanceof Uint8Array)) {
        return fault('ARGUMENT_INVALID', 'a value is bytes');
      }
      return keyFault(operation.key) ?? leaseFault(operation.lease);
    case 'delete':
      return selectionFault(operation.keys);
    case 'range':
      return rangeFault(operation);
    default:
      return unreachable(operation);
  }
}

/**
 * What is wrong with a selection by itself. An end at or before the start selects nothing, which is
 * legal; the form of the empty key, `{ gte: '', lt: '\0' }`, is not.
 *
 * @param keys - any selection
 * @since 0.1.0
 */
export function selectionFault(keys: KeySelection): KontikiError | undefined {
  if (singleKey(keys) === '') return keyFault('');
  if (isBinary(keys.gte) && (keys.lt === undefined || isBinary(keys.lt))) return undefined;
  return notBinary();
}

function rangeFault({ keys, limit, revision }: RangeOperation): KontikiError | undefined {
  if (limit !== undefined && !isPositive(limit)) {
    return fault('ARGUMENT_INVALID', `a limit is an integer from 1, got ${limit}`);
  }
  if (revision !== undefined && !isPositive(revision)) {
    return fault('ARGUMENT_INVALID', `a revision is an integer from 1, got ${revision}`);
  }
  return selectionFault(keys);
}

function compareFault(compare: Compare): KontikiError | undefined {
  const { target, operand } = compare;
  if (target === 'value') {
    if (!(operand instanceof Uint8Array)) return fault('ARGUMENT_INVALID', 'a value is bytes');
  } else if (target === 'lease') {
    const found = leaseFault(operand);
    if (found !== undefined) return found;
  } else if (!Number.isSafeInteger(operand) || operand < 0) {
    return fault('ARGUMENT_INVALID', `${target} is compared with integers from 0, got ${operand}`);
  }
  return keyFault(compare.key);
}

/**
 * One branch changes a key at most once: no key is put twice, and none is put that the branch also
 * deletes. Deletes may overlap (etcd: v3rpc/key.go, checkIntervals).
 */
function branchFault(operations: readonly Operation[]): KontikiError | undefined {
  const found = firstFault(operations, operationFault);
  if (found !== undefined || operations.length < 2) return found;
  const puts = new Set<BinaryString>();
  for (const operation of operations) {
    if (operation.op !== 'put') continue;
    if (puts.has(operation.key)) return duplicate(operation.key);
    puts.add(operation.key);
  }
  for (const operation of operations) {
    if (operation.op !== 'delete') continue;
    for (const key of puts) if (selects(operation.keys, key)) return duplicate(key);
  }
  return undefined;
}

function firstFault<T>(
  items: readonly T[],
  faultOf: (item: T) => KontikiError | undefined,
): KontikiError | undefined {
  for (const item of items) {
    const found = faultOf(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function keyFault(key: BinaryString): KontikiError | undefined {
  if (key.length === 0) return fault('KEY_EMPTY', 'a key has at least one byte');
  return isBinary(key) ? undefined : notBinary();
}

function leaseFault(lease: bigint | undefined): KontikiError | undefined {
  if (lease === undefined) return undefined;
  if (typeof lease === 'bigint' && lease >= leaseMin && lease < leaseEnd) return undefined;
  return fault('ARGUMENT_INVALID', `a lease id is a signed 64-bit bigint, got ${lease}`);
}

function isBinary(text: BinaryString): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0xff) return false;
  return true;
}

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function notBinary(): KontikiError {
  return fault('ARGUMENT_INVALID', 'a key is a binary string: units from 0 to 255');
}

function duplicate(key: BinaryString): KontikiError {
  const name = JSON.stringify(key);
  return fault('DUPLICATE_KEY', `a branch of a transaction changes key ${name} more than once`);
}

function fault(code: FaultCode, message: string): KontikiError {
  return kontikiError(code, message, { outcome: 'rejected' });
}
