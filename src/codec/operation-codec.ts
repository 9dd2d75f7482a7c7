/**
 * Operations of the keyspace as elements of a command.
 *
 *     put          [key, value, lease | nil]
 *     delete       [gte, lt | nil]
 *     range        [gte, lt | nil, limit | nil, count | nil, revision | nil]
 *     put-with     the same as put, then [flags]: 1 ignoreValue, 2 ignoreLease, 4 previous
 *     delete-with  the same as delete, then [flags]: 1 previous
 *     range-with   the same as range, then [flags, sort target | nil, sort order | nil,
 *                  min mod | nil, max mod | nil, min create | nil, max create | nil],
 *                  flags: 1 countOnly, 2 keysOnly
 *
 * The longer forms stand for what their options change, and only then. Inside a transaction the
 * number of the operation stands in front. Transactions inside one are in `txn-codec.ts`.
 */
import { assert } from '../base/assert.js';
import { binaryBytes } from '../base/bytes.js';
import type {
  DeleteOperation,
  KeySelection,
  PutOperation,
  RangeOperation,
  RangeSort,
} from '../mvcc/types.js';
import { type FlatReader, invalidField } from './flat-reader.js';
import type { Scalar } from './packr.js';

/** Place in the lists is the number in the bytes: only ever append. */
const sortTargets = ['key', 'version', 'create-revision', 'mod-revision', 'value'] as const;
const sortOrders = ['ascend', 'descend'] as const;

/**
 * Whether a put needs its longer form.
 *
 * @since 0.1.0
 */
export function isPutWith({ ignoreValue, ignoreLease, previous }: PutOperation): boolean {
  return ignoreValue === true || ignoreLease === true || previous === true;
}

/**
 * Whether a range needs its longer form.
 *
 * @since 0.1.0
 */
export function isRangeWith(range: RangeOperation): boolean {
  return (
    range.countOnly === true ||
    range.keysOnly === true ||
    range.sort !== undefined ||
    range.minModRevision !== undefined ||
    range.maxModRevision !== undefined ||
    range.minCreateRevision !== undefined ||
    range.maxCreateRevision !== undefined
  );
}

/**
 * Appends the fields of a put.
 *
 * @since 0.1.0
 */
export function writePut(values: Scalar[], put: PutOperation): void {
  values.push(binaryBytes(put.key), put.value, put.lease ?? null);
  if (!isPutWith(put)) return;
  const keeps = (put.ignoreValue === true ? 1 : 0) | (put.ignoreLease === true ? 2 : 0);
  values.push(keeps | (put.previous === true ? 4 : 0));
}

/**
 * Reads the fields of a put.
 *
 * @param isWith - whether it is the longer form
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readPut(reader: FlatReader, isWith: boolean): PutOperation {
  const key = reader.text('key');
  // Copied, because a value may outlive the batch of entries it came in by far.
  const value = new Uint8Array(reader.bytes('value'));
  const put: PutOperation = { op: 'put', key, value, lease: reader.optionalBigint('lease') };
  if (!isWith) return put;
  const flags = readFlags(reader, 7);
  return {
    ...put,
    ignoreValue: hasFlag(flags, 1),
    ignoreLease: hasFlag(flags, 2),
    previous: hasFlag(flags, 4),
  };
}

/**
 * Appends the fields of a delete.
 *
 * @since 0.1.0
 */
export function writeDelete(values: Scalar[], { keys, previous }: DeleteOperation): void {
  writeKeys(values, keys);
  if (previous === true) values.push(1);
}

/**
 * Reads the fields of a delete.
 *
 * @param isWith - whether it is the longer form
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readDelete(reader: FlatReader, isWith: boolean): DeleteOperation {
  const keys = readKeys(reader);
  if (!isWith) return { op: 'delete', keys };
  readFlags(reader, 1);
  return { op: 'delete', keys, previous: true };
}

/**
 * Appends the fields of a range.
 *
 * @since 0.1.0
 */
export function writeRange(values: Scalar[], range: RangeOperation): void {
  writeKeys(values, range.keys);
  values.push(range.limit ?? null, range.count ?? null, range.revision ?? null);
  if (!isRangeWith(range)) return;
  const { sort } = range;
  values.push((range.countOnly === true ? 1 : 0) | (range.keysOnly === true ? 2 : 0));
  if (sort === undefined) values.push(null, null);
  else {
    const target = sortTargets.indexOf(sort.target);
    const order = sortOrders.indexOf(sort.order);
    assert(target >= 0 && order >= 0, 'a range that is encoded has a known order');
    values.push(target, order);
  }
  values.push(range.minModRevision ?? null, range.maxModRevision ?? null);
  values.push(range.minCreateRevision ?? null, range.maxCreateRevision ?? null);
}

/**
 * Reads the fields of a range.
 *
 * @param isWith - whether it is the longer form
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readRange(reader: FlatReader, isWith: boolean): RangeOperation {
  const keys = readKeys(reader);
  const limit = reader.optionalInteger('limit');
  const count = reader.optionalBoolean('count');
  const revision = reader.optionalInteger('revision');
  const range: RangeOperation = { op: 'range', keys, limit, count, revision };
  if (!isWith) return range;
  const flags = readFlags(reader, 3);
  return {
    ...range,
    countOnly: hasFlag(flags, 1),
    keysOnly: hasFlag(flags, 2),
    sort: readSort(reader),
    minModRevision: reader.optionalInteger('min mod revision'),
    maxModRevision: reader.optionalInteger('max mod revision'),
    minCreateRevision: reader.optionalInteger('min create revision'),
    maxCreateRevision: reader.optionalInteger('max create revision'),
  };
}

function readSort(reader: FlatReader): RangeSort | undefined {
  const target = reader.optionalInteger('sort target');
  const order = reader.optionalInteger('sort order');
  if (target === undefined && order === undefined) return undefined;
  const sort = { target: sortTargets[target ?? -1], order: sortOrders[order ?? -1] };
  if (sort.target === undefined) throw invalidField('sort target', target);
  if (sort.order === undefined) throw invalidField('sort order', order);
  return { target: sort.target, order: sort.order };
}

/** Unknown flags are refused: what they would ask for is not known here. */
function readFlags(reader: FlatReader, known: number): number {
  const flags = reader.integer('flags');
  if (flags > known) throw invalidField('flags', flags);
  return flags;
}

/** Absent rather than false, as a command that is made here has it. */
function hasFlag(flags: number, flag: number): true | undefined {
  return (flags & flag) !== 0 ? true : undefined;
}

function writeKeys(values: Scalar[], { gte, lt }: KeySelection): void {
  values.push(binaryBytes(gte), lt === undefined ? null : binaryBytes(lt));
}

function readKeys(reader: FlatReader): KeySelection {
  return { gte: reader.text('gte'), lt: reader.optionalText('lt') };
}
