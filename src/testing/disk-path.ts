/**
 * Paths of a simulated disk in their one normal form: no leading, trailing or double slash, no `.`;
 * '' is the root. A leading slash thus makes no difference.
 */
import { kontikiError } from '../base/errors.js';

/**
 * The normal form of a path.
 *
 * @param path - must not contain `..`
 * @throws {KontikiError} STORAGE_IO
 * @since 0.1.0
 */
export function normalPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw kontikiError('STORAGE_IO', `'..' in path '${path}'`);
  return parts.join('/');
}

/**
 * The folder a path is in.
 *
 * @param path - normal, not the root
 * @since 0.1.0
 */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/**
 * Every folder on the way to a path and the path itself, outermost first; none for the root.
 *
 * @param path - normal
 * @since 0.1.0
 */
export function ancestorsOf(path: string): string[] {
  if (path === '') return [];
  const parts = path.split('/');
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}
