/**
 * Compares of a transaction as elements of a command: `[target, result, key, operand]` for one key.
 * For a range of keys the target's number is `rangeTargets` higher, and `[gte, lt | nil]` stands in
 * the place of the key.
 */
import { assert } from '../base/assert.js';
import { binaryBytes } from '../base/bytes.js';
import type { Compare, KeySelection } from '../mvcc/types.js';
import { type FlatReader, invalidField } from './flat-reader.js';
import type { Scalar } from './packr.js';

/** Place in the lists is the number in the bytes: only ever append, and no more than 16. */
const targets = ['version', 'create-revision', 'mod-revision', 'value', 'lease'] as const;
const results = ['equal', 'greater', 'less', 'not-equal'] as const;

const rangeTargets = 16;

/**
 * Appends the elements of `compare`.
 *
 * @since 0.1.0
 */
export function writeCompare(values: Scalar[], { target, result, keys, operand }: Compare): void {
  const number = targets.indexOf(target);
  const relation = results.indexOf(result);
  assert(number >= 0 && relation >= 0, 'a compare that is encoded has a known target and result');
  const { gte, lt } = keys;
  if (lt === `${gte}\0`) {
    values.push(number, relation, binaryBytes(gte), operand);
    return;
  }
  const end = lt === undefined ? null : binaryBytes(lt);
  values.push(number + rangeTargets, relation, binaryBytes(gte), end, operand);
}

/**
 * Reads what {@link writeCompare} wrote.
 *
 * @throws {KontikiError} FRAME_INVALID
 * @since 0.1.0
 */
export function readCompare(reader: FlatReader): Compare {
  const number = reader.integer('target');
  const isRange = number >= rangeTargets;
  const target = targets[isRange ? number - rangeTargets : number];
  if (target === undefined) throw invalidField('target', number);
  const result = reader.oneOf('result', results);
  const gte = reader.text('key');
  const lt = isRange ? reader.optionalText('lt') : `${gte}\0`;
  const keys: KeySelection = { gte, lt };
  switch (target) {
    case 'value':
      return { target, result, keys, operand: new Uint8Array(reader.bytes('operand')) };
    case 'lease':
      return { target, result, keys, operand: reader.bigint('operand') };
    default: {
      // Any number may be compared with, negative ones included, as in etcd.
      const operand = reader.integer('operand', Number.MIN_SAFE_INTEGER);
      return { target, result, keys, operand };
    }
  }
}
