/**
 * Questions about a {@link KeySelection}. One key is by far the commonest selection, and it is read
 * without a scan, so it is told apart from every other one here and nowhere else.
 */
import type { BinaryString } from '../base/bytes.js';
import type { KeySelection } from './types.js';

/**
 * The key that `keys` selects when it selects exactly one by its form, `{ gte: k, lt: k + '\0' }`.
 *
 * @since 0.1.0
 */
export function singleKey(keys: KeySelection): BinaryString | undefined {
  const { gte, lt } = keys;
  if (lt === undefined || lt.length !== gte.length + 1) return undefined;
  return lt.charCodeAt(gte.length) === 0 && lt.startsWith(gte) ? gte : undefined;
}

/**
 * The selection of one key.
 *
 * @since 0.1.0
 */
export function selectKey(key: BinaryString): KeySelection {
  return { gte: key, lt: `${key}\0` };
}

/**
 * Whether `key` is selected.
 *
 * @since 0.1.0
 */
export function selects(keys: KeySelection, key: BinaryString): boolean {
  return key >= keys.gte && (keys.lt === undefined || key < keys.lt);
}
