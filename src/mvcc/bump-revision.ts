/**
 * Lifts a stored keyspace to a later revision, for a cluster restored from a backup: what the lost one
 * wrote after the backup had revisions too, and clients may remember them. Everything before counts as
 * compacted, so that a watch from there is told so instead of missing what never was here (as etcd's
 * `--bump-revision --mark-compacted`).
 */
import type { StoredRecord } from './backend.js';
import { decodeMeta, encodeMeta, freshMeta, sumsOfMeta } from './meta.js';
import { metaKey } from './record-keys.js';

/**
 * The record that holds a keyspace's numbers, as it must be afterwards.
 *
 * @param record - as it is; `undefined` for a keyspace without one, which is empty
 * @param by - revisions to add, 1 or more; the sum must be a safe integer
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
 * @since 0.1.0
 */
export function bumpRevision(record: StoredRecord | undefined, by: number): StoredRecord {
  const bytes = record?.[1] ?? encodeMeta(freshMeta);
  const before = decodeMeta(bytes);
  const revision = before.revision + by;
  return [
    metaKey,
    encodeMeta({ ...before, revision, compactRevision: revision }, sumsOfMeta(bytes)),
  ];
}
