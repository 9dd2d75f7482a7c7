/**
 * Operations of the keyspace as elements of a command.
 *
 *     put     [key, value, lease | nil]
 *     delete  [gte, lt | nil]
 *     range   [gte, lt | nil, limit | nil, count | nil, revision | nil]
 *
 * Inside a transaction the number of the operation stands in front.
 */
import { unreachable } from '../base/assert.js';
import { binaryBytes } from '../base/bytes.js';
import type {
  DeleteOperation,
  KeySelection,
  Operation,
  PutOperation,
  RangeOperation,
} from '../mvcc/types.js';
import type { FlatReader } from './flat-reader.js';
import type { Scalar } from './packr.js';

/** Place in the list is the number in the bytes: only ever append. */
const ops = ['put', 'delete', 'range'] as const;

/**
 * Appends the number and the fields of `operation`.
 *
 * @since 0.1.0
 */
export function writeOperation(values: Scalar[], operation: Operation): void {
  values.push(ops.indexOf(operation.op));
  writeFields(values, operation);
}

/**
 * Appends the fields of `operation` alone.
 *
 * @since 0.1.0
 */
export function writeFields(values: Scalar[], operation: Operation): void {
  switch (operation.op) {
    case 'put':
      values.push(binaryBytes(operation.key), operation.value, operation.lease ?? null);
      return;
    case 'delete':
      return writeKeys(values, operation.keys);
    case 'range':
      writeKeys(values, operation.keys);
      values.push(operation.limit ?? null, operation.count ?? null, operation.revision ?? null);
      return;
    default:
      unreachable(operation);
  }
}

/**
 * Reads what {@link writeOperation} wrote.
 *
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readOperation(reader: FlatReader): Operation {
  const op = reader.oneOf('op', ops);
  switch (op) {
    case 'put':
      return readPut(reader);
    case 'delete':
      return readDelete(reader);
    case 'range':
      return readRange(reader);
    default:
      unreachable(op);
  }
}

/**
 * Reads the fields of a put.
 *
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readPut(reader: FlatReader): PutOperation {
  const key = reader.text('key');
  // Copied, because a value may outlive the batch of entries it came in by far.
  const value = new Uint8Array(reader.bytes('value'));
  return { op: 'put', key, value, lease: reader.optionalBigint('lease') };
}

/**
 * Reads the fields of a delete.
 *
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readDelete(reader: FlatReader): DeleteOperation {
  return { op: 'delete', keys: readKeys(reader) };
}

function readRange(reader: FlatReader): RangeOperation {
  const keys = readKeys(reader);
  const limit = reader.optionalInteger('limit');
  const count = reader.optionalBoolean('count');
  return { op: 'range', keys, limit, count, revision: reader.optionalInteger('revision') };
}

function writeKeys(values: Scalar[], { gte, lt }: KeySelection): void {
  values.push(binaryBytes(gte), lt === undefined ? null : binaryBytes(lt));
}

function readKeys(reader: FlatReader): KeySelection {
  return { gte: reader.text('gte'), lt: reader.optionalText('lt') };
}
