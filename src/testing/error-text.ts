/** What went wrong, for the message of a violation. */
import { isKontikiError } from '../base/errors.js';

/**
 * An error in words: ours by code, any other one with the place it comes from, for nobody meant it.
 *
 * @since 0.1.0
 */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return isKontikiError(error) ? `${error.code} ${error.message}` : (error.stack ?? error.message);
}
