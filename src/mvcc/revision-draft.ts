/**
 * The next revision while a command builds it: the changes to stored records, the events for
 * watchers, and, inside a transaction, what later operations see of earlier ones.
 */
import type { BinaryString } from '../base/bytes.js';
import { SortedMap } from '../base/sorted-map.js';
import type { Change, StoredRecord } from './backend.js';
import { DeletedKeys } from './deleted-keys.js';
import { attachmentBytes, attachmentKey } from './lease-record.js';
import { encodeStub } from './put-stub.js';
import { isDescending, matchesNeeded } from './range-shape.js';
import type { RangeSlice } from './range-slices.js';
import type { ReadView } from './read-view.js';
import {
  type ChangeRecord,
  decodeCurrent,
  encodeChange,
  encodeClosed,
  isWholeInHistory,
} from './record.js';
import { closedKey, currentKey, historyKey, keyOfCurrent } from './record-keys.js';
import { singleKey } from './selection.js';
import type { HashSums } from './state-hash.js';
import type { KeyEvent, KeySelection, KeyVersion, PutOperation, RangeOperation } from './types.js';

/** A part of what came of a command. @since 0.1.0 */
export interface RevisionSlice {
  readonly changes: readonly Change[];
  /**
   * Versions that the command ends and that history holds only a stub of, to be stored there. Nothing shows whether
   * they are there yet, so they need not wait for the rest of the command, which would hold their values for so long.
   */
  readonly moves: readonly Change[];
  readonly events: readonly KeyEvent[];
}

const noValue = new Uint8Array(0);
const noPosition = { revision: 0, sub: 0 };
/** Keys are binary strings: no unit of one is as large. */
const aboveAllKeys = '\u0100';

/**
 * Collects the effect of one command. A command changes a key at most once (`DUPLICATE_KEY`), so
 * the version before a change is always that of the stored state.
 *
 * @since 0.1.0
 */
export class RevisionDraft {
  /** Those since the last {@link take}; so are the moves and the events. */
  changes: Change[] = [];
  moves: Change[] = [];
  events: KeyEvent[] = [];
  readonly #view: ReadView;
  readonly #nextRevision: number;
  readonly #sums: HashSums;
  /** Key changes so far, which number the next one. */
  #subs = 0;
  #isTaken = false;
  /** Of the versions that they end. */
  #endedBytes = 0;
  /** What this command put, inside a transaction. */
  #own: Map<BinaryString, KeyVersion> | undefined;
  /** The same in the order of keys, once a range has asked. */
  #ownInOrder: SortedMap<KeyVersion> | undefined;
  /** What it deleted there. */
  #deleted: DeletedKeys | undefined;
  #closed: Uint8Array | undefined;

  /**
   * @param view - the stored state
   * @param nextRevision - of all changes of the command
   * @param sums - the records written and removed are added and taken off
   */
  constructor(view: ReadView, nextRevision: number, sums: HashSums) {
    this.#view = view;
    this.#nextRevision = nextRevision;
    this.#sums = sums;
  }

  /** The revision as of now: the next one once something changed. */
  get revision(): number {
    return this.#subs === 0 ? this.#nextRevision - 1 : this.#nextRevision;
  }

  /** Whether there is any effect. */
  get isChanged(): boolean {
    return this.#isTaken || this.changes.length > 0;
  }

  /** Whether so much was changed since the last {@link take} that this turn should end. */
  isOver({ limit, bytesMax }: RangeSlice): boolean {
    return this.events.length >= limit || this.#endedBytes >= bytesMax;
  }

  /** Hands out what came of the command since the last call, and forgets it; there is something. */
  take(): RevisionSlice {
    const { changes, moves, events } = this;
    this.#isTaken = true;
    this.changes = [];
    this.moves = [];
    this.events = [];
    this.#endedBytes = 0;
    return { changes, moves, events };
  }

  /** Lets {@link versions} see what this draft changes; before the first change. */
  trackOwn(): void {
    this.#own = new Map();
    this.#deleted = new DeletedKeys();
  }

  /** Puts a key; returns the version before. */
  put(operation: PutOperation): KeyVersion | undefined {
    const { key } = operation;
    const recordKey = currentKey(key);
    const stored = this.#view.record(recordKey);
    const before = stored === undefined ? undefined : decodeCurrent(recordKey, stored);
    const previous = before?.version;
    const revision = this.#nextRevision;
    const sub = this.#subs;
    this.#subs += 1;
    const current = putVersion(operation, revision, previous);
    const bytes = encodeChange({
      type: 'put',
      sub,
      version: current,
      previous: positionOf(before),
    });
    const told = isWholeInHistory(bytes) ? bytes : encodeStub(bytes);
    this.changes.push([recordKey, bytes], [historyKey({ revision, sub }), told]);
    this.#sums.addPut(bytes, told);
    if (current.lease !== previous?.lease) {
      this.#detach(key, previous?.lease);
      this.#attach(key, current.lease);
    }
    if (before === undefined || stored === undefined) {
      this.events.push({ type: 'put', key, revision, sub, current });
    } else {
      this.#close(before, stored);
      this.events.push({ type: 'put', key, revision, sub, current, previous: before.version });
    }
    this.#own?.set(key, current);
    this.#ownInOrder?.set(key, current);
    return previous;
  }

  /**
   * Deletes the keys of current records; returns how many this draft had not deleted before.
   *
   * @param gone - takes the versions that were deleted, if somebody asks
   */
  delete(records: readonly StoredRecord[], gone?: KeyVersion[]): number {
    let deleted = 0;
    for (const [recordKey, bytes] of records) {
      if (this.isOwn(keyOfCurrent(recordKey))) continue;
      const before = decodeCurrent(recordKey, bytes);
      this.#deleteOne(recordKey, before, bytes);
      gone?.push(before.version);
      deleted += 1;
    }
    return deleted;
  }

  /** Says that all of these keys are deleted now, to what comes later in a transaction. */
  deletedAll(keys: KeySelection): void {
    this.#deleted?.add(keys);
  }

  /** The selected keys without ranges that were deleted before, which need not be read again. */
  undeleted(keys: KeySelection): Iterable<KeySelection> {
    return this.#deleted?.gaps(keys) ?? [keys];
  }

  /** A range around the key of which all is deleted, if there is one. */
  deletedAround(key: BinaryString): KeySelection | undefined {
    return this.#deleted?.around(key);
  }

  /** Whether a transaction has put or deleted the key. */
  isOwn(key: BinaryString): boolean {
    return this.#own?.has(key) === true || this.#deleted?.has(key) === true;
  }

  /**
   * Current versions of the selected keys as this draft leaves them, in key order.
   *
   * @param records - the stored ones
   */
  versions(
    operation: RangeOperation,
    records: readonly StoredRecord[],
  ): readonly (StoredRecord | KeyVersion)[] {
    const { keys } = operation;
    const own = this.#own;
    if (own === undefined || (own.size === 0 && this.#deleted?.isEmpty === true)) return records;
    const single = singleKey(keys);
    if (single !== undefined) {
      const version = own.get(single);
      if (version !== undefined) return [version];
      return this.isOwn(single) ? [] : records;
    }
    const kept = records.filter(([recordKey]) => !this.isOwn(keyOfCurrent(recordKey)));
    const put = this.#putIn(operation, own);
    const all: (StoredRecord | KeyVersion)[] = [];
    let at = 0;
    for (const record of kept) {
      for (; at < put.length && (put[at] as KeyVersion).key < keyOf(record); at += 1) {
        all.push(put[at] as KeyVersion);
      }
      all.push(record);
    }
    for (; at < put.length; at += 1) all.push(put[at] as KeyVersion);
    return all;
  }

  /** What was put of a range, in key order: all, or as many as decide its answer, from the end where it begins. */
  #putIn(
    operation: RangeOperation,
    own: ReadonlyMap<BinaryString, KeyVersion>,
  ): readonly KeyVersion[] {
    if (this.#ownInOrder === undefined) {
      this.#ownInOrder = new SortedMap();
      for (const [key, version] of own) this.#ownInOrder.set(key, version);
    }
    const { gte, lt = aboveAllKeys } = operation.keys;
    const isReverse = isDescending(operation);
    const needed = matchesNeeded(operation) ?? Number.POSITIVE_INFINITY;
    const put = this.#ownInOrder.collect({ gte, lt }, needed, isReverse).map(([, each]) => each);
    return isReverse ? put.reverse() : put;
  }

  #deleteOne(recordKey: BinaryString, before: ChangeRecord, stored: Uint8Array): void {
    const { key } = before.version;
    const revision = this.#nextRevision;
    const sub = this.#subs;
    this.#subs += 1;
    const bytes = encodeChange(deleteRecord({ revision, sub }, before));
    this.changes.push([recordKey, undefined], [historyKey({ revision, sub }), bytes]);
    this.#sums.add('history', bytes);
    this.#close(before, stored);
    this.#detach(key, before.version.lease);
    this.events.push({ type: 'delete', key, revision, sub, previous: before.version });
  }

  #attach(key: BinaryString, lease: bigint | undefined): void {
    if (lease === undefined) return;
    const recordKey = attachmentKey(lease, key);
    this.changes.push([recordKey, attachmentBytes]);
    this.#sums.addAttachment(recordKey, attachmentBytes);
  }

  #detach(key: BinaryString, lease: bigint | undefined): void {
    if (lease === undefined) return;
    const recordKey = attachmentKey(lease, key);
    this.changes.push([recordKey, undefined]);
    this.#sums.subtractAttachment(recordKey, attachmentBytes);
  }

  /** Ends a version, whose record moves to history if it is not there. */
  #close(before: ChangeRecord, stored: Uint8Array): void {
    const position = positionOf(before);
    if (!isWholeInHistory(stored)) this.moves.push([historyKey(position), stored]);
    this.#endedBytes += stored.length;
    this.#sums.subtract('keys', stored);
    this.#closed ??= encodeClosed(this.#nextRevision);
    const recordKey = closedKey(before.version.key, position);
    this.changes.push([recordKey, this.#closed]);
    this.#sums.addClosed(recordKey, this.#closed);
  }
}

interface Position {
  readonly revision: number;
  readonly sub: number;
}

function putVersion(
  put: PutOperation,
  modRevision: number,
  before: KeyVersion | undefined,
): KeyVersion {
  const lease = put.ignoreLease === true ? before?.lease : put.lease;
  return {
    key: put.key,
    value: put.ignoreValue === true && before !== undefined ? before.value : put.value,
    createRevision: before?.createRevision ?? modRevision,
    modRevision,
    version: (before?.version ?? 0) + 1,
    // 0 is how etcd's clients say "no lease".
    lease: lease === 0n ? undefined : lease,
  };
}

function deleteRecord({ revision, sub }: Position, before: ChangeRecord): ChangeRecord {
  const { key } = before.version;
  return {
    type: 'delete',
    sub,
    version: {
      key,
      value: noValue,
      createRevision: 0,
      modRevision: revision,
      version: 0,
      lease: undefined,
    },
    previous: positionOf(before),
  };
}

function positionOf(change: ChangeRecord | undefined): Position {
  if (change === undefined) return noPosition;
  return { revision: change.version.modRevision, sub: change.sub };
}

function keyOf(item: StoredRecord | KeyVersion): BinaryString {
  return 'key' in item ? item.key : keyOfCurrent(item[0]);
}
