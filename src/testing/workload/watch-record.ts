/** What one watch was handed, from where it began to where it ended. */

import type { KeySelection } from '../../mvcc/types.js';
import type { WatchOptions } from '../../store/kv-client.js';
import type { WatchBatch } from '../../store/watch-batch.js';
import { versionOf } from './store-call.js';

/** One change as a watcher saw it. @since 0.1.0 */
export interface SeenChange {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  /** Of a put: `value, createRevision, version, lease` as a text to compare. */
  readonly content: string;
  /** `modRevision` of the version before; absent when there was none, or it is compacted. */
  readonly previous: number | undefined;
  /** Of that version, as {@link content}. */
  readonly previousContent: string | undefined;
}

/** Why a watch ended: its member died, it was told to start later, or the run was over. @since 0.1.0 */
export type WatchEnd = 'lost' | 'compacted' | 'closed';

/** @since 0.1.0 */
export interface WatchRecord {
  readonly member: string;
  readonly keys: KeySelection;
  /** Changes that it did not want. */
  readonly filter: Pick<WatchOptions, 'noPut' | 'noDelete'>;
  /** Revision from which it wanted to be told. */
  readonly fromRevision: number;
  readonly changes: SeenChange[];
  /** Revisions that came with each batch, and how many changes there were by then. */
  readonly batches: {
    readonly revision: number;
    readonly changes: number;
    readonly whole: boolean;
  }[];
  end?: WatchEnd | undefined;
  /** Of an end by `compacted`: the revision it was told. */
  compactRevision?: number | undefined;
}

/** Adds a batch to a record. @since 0.1.0 */
export function addBatch(record: WatchRecord, batch: WatchBatch): void {
  for (const { type, kv, previous } of batch.events) {
    const { key, value, createRevision, modRevision, version, lease } = versionOf(kv);
    record.changes.push({
      type,
      key,
      revision: modRevision,
      content: type === 'delete' ? '' : contentOf({ value, createRevision, version, lease }),
      previous: previous?.modRevision,
      previousContent: previous && contentOf(versionOf(previous)),
    });
  }
  const { revision, fragment } = batch;
  record.batches.push({ revision, changes: record.changes.length, whole: fragment !== true });
}

/** What a put left, as text. @since 0.1.0 */
export function contentOf(version: {
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly version: number;
  readonly lease?: bigint | undefined;
}): string {
  return [version.value.join('.'), version.createRevision, version.version, version.lease].join(
    ' ',
  );
}
