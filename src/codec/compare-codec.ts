/**
 * Compares of a transaction as elements of a command: `[target, result, key, operand]`.
 */
import { binaryBytes } from '../base/bytes.js';
import type { Compare } from '../mvcc/types.js';
import type { FlatReader } from './flat-reader.js';
import type { Scalar } from './packr.js';

/** Place in the lists is the number in the bytes: only ever append. */
const targets = ['version', 'create-revision', 'mod-revision', 'value', 'lease'] as const;
const results = ['equal', 'greater', 'less', 'not-equal'] as const;

/**
 * Appends the elements of `compare`.
 *
 * @since 0.1.0
 */
export function writeCompare(values: Scalar[], { target, result, key, operand }: Compare): void {
  values.push(targets.indexOf(target), results.indexOf(result), binaryBytes(key), operand);
}

/**
 * Reads what {@link writeCompare} wrote.
 *
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readCompare(reader: FlatReader): Compare {
  const target = reader.oneOf('target', targets);
  const result = reader.oneOf('result', results);
  const key = reader.text('key');
  switch (target) {
    case 'value':
      return { target, result, key, operand: new Uint8Array(reader.bytes('operand')) };
    case 'lease':
      return { target, result, key, operand: reader.bigint('operand') };
    default: {
      // Any number may be compared with, negative ones included, as in etcd.
      const operand = reader.integer('operand', Number.MIN_SAFE_INTEGER);
      return { target, result, key, operand };
    }
  }
}
