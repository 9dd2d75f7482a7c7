/**
 * The folder that a file or folder is in, whose sync makes its name durable.
 *
 * @param path - with `/` between names; may end in one
 * @returns `.` for a path that begins in the working directory
 * @since 0.1.0
 */
export function parentOf(path: string): string {
  const end = path.replace(/\/+$/, '').lastIndexOf('/');
  return end < 0 ? '.' : path.slice(0, Math.max(end, 1));
}
