/**
 * What a watch hands out: revisions of the keyspace as its user sees them. The keyspace's events are
 * shared by all watchers; only these thin faces are made for each, so that what one consumer does
 * to its bytes changes nothing for another.
 */
import type { BinaryString } from '../base/bytes.js';
import type { KeyEvent, KeyVersion, RevisionEvents } from '../mvcc/index.js';
import { KeyValue } from './key-value.js';

/** One change of one key. @since 0.1.0 */
export interface WatchEvent {
  readonly type: 'put' | 'delete';
  /**
   * The version put; of a delete only key and modRevision (the delete's) say something. It is a
   * creation when `createRevision` equals `modRevision`.
   */
  readonly kv: KeyValue;
  /** The version before; absent for a creation, when it is compacted, or when not wanted. */
  readonly previous?: KeyValue;
}

/**
 * Whole revisions, in order. Without events it is a bookmark: everything up to `revision` was
 * delivered.
 *
 * @since 0.1.0
 */
export interface WatchBatch {
  /** The last revision in the batch: resume from the one after it. */
  readonly revision: number;
  readonly events: readonly WatchEvent[];
  /**
   * More of `revision` follows, in the next batch; only with the option `fragment`. Until a batch
   * comes without it, resume from `revision` itself, which then comes again from its beginning.
   */
  readonly fragment?: true;
}

/**
 * The batch of revisions as the keyspace tells them.
 *
 * @param revisions - at least one, ascending; a piece stands alone
 * @param withPrevious - whether the versions before are wanted
 * @since 0.1.0
 */
export function batchOf(revisions: readonly RevisionEvents[], withPrevious: boolean): WatchBatch {
  const events: WatchEvent[] = [];
  for (const { events: own } of revisions) {
    for (const event of own) events.push(eventOf(event, withPrevious));
  }
  const { revision, isPart } = revisions[revisions.length - 1] as RevisionEvents;
  return isPart === true ? { revision, events, fragment: true } : { revision, events };
}

function eventOf(event: KeyEvent, withPrevious: boolean): WatchEvent {
  const { type, current, previous } = event;
  const kv = KeyValue.of(current ?? tombstone(event.key, event.revision));
  if (previous === undefined || !withPrevious) return { type, kv };
  return { type, kv, previous: KeyValue.of(previous) };
}

function tombstone(key: BinaryString, modRevision: number): KeyVersion {
  return { key, value: new Uint8Array(0), createRevision: 0, modRevision, version: 0 };
}
