/** Commands and answers of the keyspace in a few words, for drawings and findings. */
import { unreachable } from '../../base/assert.js';
import { utf8Text } from '../../base/bytes.js';
import type { LeaseRevokeCommand } from '../../mvcc/lease-types.js';
import { selectKey } from '../../mvcc/selection.js';
import type {
  Command,
  Compare,
  KeySelection,
  Operation,
  RangeOperation,
} from '../../mvcc/types.js';
import type { KeyspaceAnswer } from './keyspace-answer.js';
import type { Observed } from './observed.js';

const signs = { equal: '=', greater: '>', less: '<', 'not-equal': '≠' } as const;

/**
 * What was asked.
 *
 * @since 0.1.0
 */
export function describeCommand(input: Command | RangeOperation): string {
  switch (input.op) {
    case 'compact':
      return `compact ${input.revision}`;
    case 'read-lease':
      return `read-lease ${input.leaseMs} ms`;
    case 'lease-grant':
      return `grant ${input.id} for ${input.ttlSeconds} s`;
    case 'lease-revoke':
      return describeRevoke(input);
    case 'lease-checkpoint':
      return `checkpoint of ${input.leases.length} leases`;
    case 'session-open':
      return 'open a session';
    case 'alarm':
      return `${input.isRaised ? 'raise' : 'end'} the alarm of ${input.member}`;
    default:
      return describeOperation(input);
  }
}

function describeRevoke({ id, generation, expired }: LeaseRevokeCommand): string {
  if (expired !== undefined) return `revoke ${id} expired`;
  return generation === undefined ? `revoke ${id}` : `revoke ${id} of entry ${generation}`;
}

/**
 * What was answered, as far as it was seen.
 *
 * @since 0.1.0
 */
export function describeAnswer(output: Observed<KeyspaceAnswer> | undefined): string {
  if (output === undefined) return '?';
  if ('code' in output) return `${output.code}`;
  const at = 'revision' in output && output.revision !== undefined ? `@${output.revision}` : '';
  if ('kvs' in output && output.kvs !== undefined) {
    const pairs = output.kvs.map(
      ({ key, value }) => `${key ?? '?'}=${value === undefined ? '?' : utf8Text(value)}`,
    );
    return `[${pairs.join(' ')}]${at}`;
  }
  if ('succeeded' in output) return `${output.succeeded === true ? 'then' : 'else'}${at}`;
  if ('deleted' in output) return `${output.deleted}${at}`;
  return at;
}

function describeOperation(operation: Operation): string {
  switch (operation.op) {
    case 'put': {
      const lease = operation.lease === undefined ? '' : ` lease ${operation.lease}`;
      return `put ${operation.key}=${utf8Text(operation.value)}${lease}`;
    }
    case 'delete':
      return `delete ${describeKeys(operation.keys)}`;
    case 'range': {
      const at = operation.revision === undefined ? '' : `@${operation.revision}`;
      return `range ${describeKeys(operation.keys)}${at}`;
    }
    case 'txn': {
      const list = (branch: readonly Operation[]) => branch.map(describeOperation).join(', ');
      const { compares, success, failure } = operation;
      const condition =
        compares.length === 0 ? '' : `if ${compares.map(describeCompare).join(', ')} `;
      const otherwise = failure.length === 0 ? '' : ` else ${list(failure)}`;
      return `${condition}do ${list(success)}${otherwise}`;
    }
    default:
      return unreachable(operation);
  }
}

function describeCompare({ keys, target, result, operand }: Compare): string {
  const value = operand instanceof Uint8Array ? utf8Text(operand) : operand;
  return `${target} of ${describeKeys(keys)} ${signs[result]} ${value}`;
}

function describeKeys({ gte, lt }: KeySelection): string {
  return lt === selectKey(gte).lt ? gte : `[${gte}, ${lt ?? ''})`;
}
