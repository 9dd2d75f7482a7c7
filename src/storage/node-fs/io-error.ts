/**
 * What a system call's failure is called here.
 */
import { type KontikiError, kontikiError } from '../../base/errors.js';

/**
 * @param error - from `node:fs`
 * @param what - operation and path, for the message
 * @since 0.1.0
 */
export function ioError(error: unknown, what: string): KontikiError {
  const { code, message } = error as { code?: string; message?: string };
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return kontikiError(full ? 'NO_SPACE' : 'STORAGE_IO', `${what}: ${message ?? error}`, {
    cause: error,
  });
}
