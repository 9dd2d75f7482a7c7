/** Names of snapshot files: what they hold, in an order that sorts by age. */
import type { LogId } from '../../raft/types.js';

const pattern = /^([0-9a-f]{16})-([0-9a-f]{16})\.snapshot$/;

/** A file being written has this after its name. @since 0.1.0 */
export const temporaryEnding = '.tmp';

/** `<index>-<term>.snapshot`, sixteen hexadecimal digits each. @since 0.1.0 */
export function snapshotName({ index, term }: LogId): string {
  const digits = (value: number): string => value.toString(16).padStart(16, '0');
  return `${digits(index)}-${digits(term)}.snapshot`;
}

/** What a name says, or `undefined` for a file that is none of ours. @since 0.1.0 */
export function parseSnapshotName(name: string): LogId | undefined {
  const [, index, term] = pattern.exec(name) ?? [];
  if (index === undefined || term === undefined) return undefined;
  return { index: Number.parseInt(index, 16), term: Number.parseInt(term, 16) };
}
