import { isWellFormed } from './bytes.js';
import { limits } from './limits.js';

/**
 * Whether this may name anything. Two texts that are one in UTF-8 would have one id, so it is well-formed.
 *
 * @since 0.1.0
 */
export function isNameText(value: unknown): value is string {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) return false;
  return isWellFormed(value);
}

/**
 * Whether a member may have this name, or an address of these characters: all of them have to fit the
 * header of a snapshot.
 *
 * @since 0.1.0
 */
export function isMemberText(value: unknown): value is string {
  return isNameText(value) && value.length <= limits.memberTextMax;
}
