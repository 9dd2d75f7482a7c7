/** Which revisions can be read, and what is said of the others. */
import { kontikiError } from '../base/errors.js';

/** The two ends of what can be read, as of now. @since 0.1.0 */
export interface ReadableRevisions {
  readonly revision: number;
  readonly compactRevision: number;
}

/**
 * Why `revision` cannot be read; `undefined` when it can.
 *
 * @since 0.1.0
 */
export function revisionFault(readable: ReadableRevisions, revision: number) {
  if (revision > readable.revision) return futureRevision(readable, revision);
  if (revision >= readable.compactRevision) return undefined;
  return compacted(readable, revision);
}

/**
 * Why the keyspace cannot be compacted to `revision`; `undefined` when it can. The current revision
 * can, the compacted one cannot again.
 *
 * @since 0.1.0
 */
export function compactionFault(readable: ReadableRevisions, revision: number) {
  if (revision > readable.revision) return futureRevision(readable, revision);
  if (revision > readable.compactRevision) return undefined;
  return compacted(readable, revision);
}

function futureRevision({ revision }: ReadableRevisions, asked: number) {
  return kontikiError(
    'FUTURE_REVISION',
    `revision ${asked} is not there yet, the newest is ${revision}`,
    { revision, outcome: 'rejected' },
  );
}

function compacted({ compactRevision }: ReadableRevisions, asked: number) {
  return kontikiError(
    'COMPACTED',
    `revision ${asked} is compacted, the oldest readable is ${compactRevision}`,
    { compactRevision, outcome: 'rejected' },
  );
}
