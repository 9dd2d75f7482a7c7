/**
 * What makes a command wrong by itself, whatever the state. The proposer checks with
 * {@link checkCommand}; apply asks {@link commandFault} again, so that a command that came another
 * way is refused in the same way on every member. Limits are the proposer's alone: apply consults
 * no option and no limit, which may differ between members (DESIGN §4.5).
 */
import type { BinaryString } from '../base/bytes.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { AlarmCommand } from './alarm-types.js';
import { duplicateKey } from './duplicate-key.js';
import { leaseCommandFault, leaseLimitFault } from './lease-check.js';
import type { LeaseCommand } from './lease-types.js';
import { singleKey } from './selection.js';
import type {
  Command,
  Compare,
  KeySelection,
  Operation,
  PutOperation,
  RangeOperation,
  RangeSort,
  ReadLeaseCommand,
  TxnCommand,
} from './types.js';

const leaseMin = -(2n ** 63n);
const leaseEnd = 2n ** 63n;
const sortTargets = new Set<unknown>([
  'key',
  'version',
  'create-revision',
  'mod-revision',
  'value',
]);
const sortOrders = new Set<unknown>(['ascend', 'descend']);
const compareTargets = new Set(['version', 'create-revision', 'mod-revision', 'value', 'lease']);
const compareResults = new Set(['equal', 'greater', 'less', 'not-equal']);
const revisionBounds = [
  'minModRevision',
  'maxModRevision',
  'minCreateRevision',
  'maxCreateRevision',
] as const;

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
  // Operations are counted first: the count bounds how deep the rest of the check goes.
  if (command.op === 'txn') checkOperations(command);
  const found =
    commandFault(command) ?? (isLeaseCommand(command) ? leaseLimitFault(command) : undefined);
  if (found !== undefined) throw found;
}

/**
 * Throws unless a transaction is lists of objects, and no more of them than there may be: from then on it
 * can be walked, however deep.
 *
 * @throws {KontikiError} TOO_MANY_OPERATIONS, ARGUMENT_INVALID; outcome `rejected`
 * @since 0.1.0
 */
export function checkOperations(txn: TxnCommand): void {
  const found = operationsFault(txn, limits.transactionOperationsMax);
  if (found !== undefined) throw found;
}

/**
 * What is wrong with a command by itself, limits aside; `undefined` when it can be executed.
 *
 * @param command - any command
 * @since 0.1.0
 */
export function commandFault(command: Command): KontikiError | undefined {
  if (command.op === 'read-lease') return readLeaseFault(command);
  if (command.op === 'session-open') return undefined;
  if (command.op === 'alarm') return alarmFault(command);
  if (isLeaseCommand(command)) return leaseCommandFault(command);
  if (command.op !== 'compact') return operationFault(command);
  if (isPositive(command.revision)) return undefined;
  return fault('ARGUMENT_INVALID', `a revision is an integer from 1, got ${command.revision}`);
}

/**
 * Whether a command is about leases.
 *
 * @since 0.1.0
 */
export function isLeaseCommand(command: Command): command is LeaseCommand {
  return command.op.startsWith('lease-');
}

function alarmFault({ member }: AlarmCommand): KontikiError | undefined {
  if (Number.isSafeInteger(member) && member >= 0) return undefined;
  return fault('ARGUMENT_INVALID', `an alarm is of the id of a member or of 0, got ${member}`);
}

function readLeaseFault({ leaseMs }: ReadLeaseCommand): KontikiError | undefined {
  if (Number.isInteger(leaseMs) && leaseMs >= 0 && leaseMs < 2 ** 32) return undefined;
  return fault('ARGUMENT_INVALID', `a read lease has 0 to 2^32-1 milliseconds, got ${leaseMs}`);
}

/**
 * What is wrong with one operation by itself.
 *
 * @param operation - any operation
 * @since 0.1.0
 */
export function operationFault(operation: Operation): KontikiError | undefined {
  const found = contentFault(operation);
  if (found !== undefined || operation.op !== 'txn') return found;
  return duplicateFault(operation.success) ?? duplicateFault(operation.failure);
}

/** What is wrong in it, each part by itself. */
function contentFault(operation: Operation): KontikiError | undefined {
  switch (operation.op) {
    case 'put':
      return putFault(operation);
    case 'delete':
      return selectionFault(operation.keys);
    case 'range':
      return rangeFault(operation);
    case 'txn':
      return (
        firstFault(operation.compares, compareFault) ??
        firstFault(operation.success, contentFault) ??
        firstFault(operation.failure, contentFault)
      );
    default:
      return unknownOperation(operation satisfies never);
  }
}

/** What came is of no type: transactions may be made by hand. */
function unknownOperation({ op }: { readonly op?: unknown }): KontikiError {
  return fault('ARGUMENT_INVALID', `no such operation: ${String(op)}`);
}

/**
 * What is wrong with a selection by itself. An end at or before the start selects nothing, which is
 * legal; the form of the empty key, `{ gte: '', lt: '\0' }`, is not.
 *
 * @param keys - any selection
 * @since 0.1.0
 */
export function selectionFault(keys: KeySelection): KontikiError | undefined {
  if (!isObject(keys) || !isBinary(keys.gte)) return notBinary();
  if (keys.lt !== undefined && !isBinary(keys.lt)) return notBinary();
  return singleKey(keys) === '' ? keyFault('') : undefined;
}

/** Every transaction inside another gets only what the largest list around it left over. */
function operationsFault(txn: TxnCommand, max: number): KontikiError | undefined {
  const { compares, success, failure } = txn;
  if (![compares, success, failure].every(isListOfObjects)) {
    return fault('ARGUMENT_INVALID', 'a transaction is lists of compares and of operations');
  }
  const count = Math.max(compares.length, success.length, failure.length);
  if (count > max) {
    const most = limits.transactionOperationsMax;
    return fault(
      'TOO_MANY_OPERATIONS',
      `at most ${most} operations in a branch, with those around it, got ${most - max + count}`,
    );
  }
  const inner = (operation: Operation) =>
    operation.op === 'txn' ? operationsFault(operation, max - count) : undefined;
  return firstFault(success, inner) ?? firstFault(failure, inner);
}

function putFault({ key, value, lease, ...keeps }: PutOperation): KontikiError | undefined {
  if (!(value instanceof Uint8Array)) return fault('ARGUMENT_INVALID', 'a value is bytes');
  if (keeps.ignoreValue === true && value.length > 0) {
    return fault('ARGUMENT_INVALID', 'a put that keeps the value brings none');
  }
  if (keeps.ignoreLease === true && lease !== undefined && lease !== 0n) {
    return fault('ARGUMENT_INVALID', 'a put that keeps the lease brings none');
  }
  return keyFault(key) ?? leaseFault(lease);
}

function rangeFault(operation: RangeOperation): KontikiError | undefined {
  const { keys, limit, count, revision, sort } = operation;
  if (limit !== undefined && !isPositive(limit)) {
    return fault('ARGUMENT_INVALID', `a limit is an integer from 1, got ${limit}`);
  }
  if (revision !== undefined && !isPositive(revision)) {
    return fault('ARGUMENT_INVALID', `a revision is an integer from 1, got ${revision}`);
  }
  if (count !== undefined && typeof count !== 'boolean') {
    return fault('ARGUMENT_INVALID', `count is true or false, got ${String(count)}`);
  }
  for (const name of revisionBounds) {
    const bound = operation[name];
    if (bound === undefined || isPositive(bound)) continue;
    return fault('ARGUMENT_INVALID', `${name} is an integer from 1, got ${bound}`);
  }
  if (sort !== undefined) {
    const { target, order }: Partial<RangeSort> = isObject(sort) ? sort : {};
    if (!sortTargets.has(target) || !sortOrders.has(order)) {
      return fault('ARGUMENT_INVALID', `no such order: ${String(target)} ${String(order)}`);
    }
  }
  return selectionFault(keys);
}

function compareFault(compare: Compare): KontikiError | undefined {
  const { target, result, operand } = compare;
  // The encoding has numbers for those that there are: no member could read another.
  if (!compareTargets.has(target) || !compareResults.has(result)) {
    return fault('ARGUMENT_INVALID', `no such compare: ${String(target)} ${String(result)}`);
  }
  if (target === 'value') {
    if (!(operand instanceof Uint8Array)) return fault('ARGUMENT_INVALID', 'a value is bytes');
  } else if (target === 'lease') {
    const found = leaseFault(operand);
    if (found !== undefined) return found;
  } else if (!Number.isSafeInteger(operand)) {
    return fault('ARGUMENT_INVALID', `${target} is compared with integers, got ${operand}`);
  }
  return selectionFault(compare.keys);
}

function duplicateFault(operations: readonly Operation[]): KontikiError | undefined {
  const key = duplicateKey(operations);
  if (key === undefined) return undefined;
  const name = JSON.stringify(key);
  return fault('DUPLICATE_KEY', `a branch of a transaction changes key ${name} more than once`);
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
  if (!isBinary(key)) return notBinary();
  return key.length > 0 ? undefined : fault('KEY_EMPTY', 'a key has at least one byte');
}

function leaseFault(lease: bigint | undefined): KontikiError | undefined {
  if (lease === undefined) return undefined;
  if (typeof lease === 'bigint' && lease >= leaseMin && lease < leaseEnd) return undefined;
  return fault('ARGUMENT_INVALID', `a lease id is a signed 64-bit bigint, got ${lease}`);
}

/** Of what TypeScript takes for certain and JavaScript does not. */
function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.every(isObject);
}

function isBinary(text: unknown): boolean {
  if (typeof text !== 'string') return false;
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 0xff) return false;
  return true;
}

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

function notBinary(): KontikiError {
  return fault('ARGUMENT_INVALID', 'a key is a binary string: units from 0 to 255');
}

function fault(code: FaultCode, message: string): KontikiError {
  return kontikiError(code, message, { outcome: 'rejected' });
}
