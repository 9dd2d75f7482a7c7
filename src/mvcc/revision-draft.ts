/**
 * The next revision while a command builds it: the changes to stored records, the events for
 * watchers, and, inside a transaction, what later operations see of earlier ones.
 */
import type { BinaryString } from '../base/bytes.js';
import type { Change, StoredRecord } from './backend.js';
import type { ReadView } from './read-view.js';
import { type ChangeRecord, decodeCurrent, encodeChange, encodeClosed } from './record.js';
import { closedKey, currentKey, historyKey, keyOfCurrent } from './record-keys.js';
import { selects } from './selection.js';
import type { KeyEvent, KeySelection, KeyVersion, PutOperation } from './types.js';

const noValue = new Uint8Array(0);
const noPosition = { revision: 0, sub: 0 };

/**
 * Collects the effect of one command. A command changes a key at most once (`DUPLICATE_KEY`), so
 * the version before a change is always that of the stored state.
 *
 * @since 0.1.0
 */
export class RevisionDraft {
  readonly changes: Change[] = [];
  readonly events: KeyEvent[] = [];
  readonly #view: ReadView;
  readonly #nextRevision: number;
  /** What this command made of keys; `undefined` as a value: deleted. */
  #own: Map<BinaryString, KeyVersion | undefined> | undefined;
  #closed: Uint8Array | undefined;

  /**
   * @param view - the stored state
   * @param nextRevision - of all changes of the command
   */
  constructor(view: ReadView, nextRevision: number) {
    this.#view = view;
    this.#nextRevision = nextRevision;
  }

  /** The revision as of now: the next one once something changed. */
  get revision(): number {
    return this.events.length === 0 ? this.#nextRevision - 1 : this.#nextRevision;
  }

  /** Lets {@link versions} see what this draft changes; before the first change. */
  trackOwn(): void {
    this.#own = new Map();
  }

  /** Puts a key; returns the version before. */
  put(operation: PutOperation): KeyVersion | undefined {
    const { key } = operation;
    const recordKey = currentKey(key);
    const stored = this.#view.record(recordKey);
    const before = stored === undefined ? undefined : decodeCurrent(recordKey, stored);
    const previous = before?.version;
    const revision = this.#nextRevision;
    const sub = this.events.length;
    const current = putVersion(operation, revision, previous);
    const bytes = encodeChange({
      type: 'put',
      sub,
      version: current,
      previous: positionOf(before),
    });
    this.changes.push([recordKey, bytes], [historyKey({ revision, sub }), bytes]);
    if (before === undefined) this.events.push({ type: 'put', key, revision, sub, current });
    else {
      this.#close(before);
      this.events.push({ type: 'put', key, revision, sub, current, previous: before.version });
    }
    this.#own?.set(key, current);
    return previous;
  }

  /** Deletes the keys of current records; returns how many this draft had not deleted before. */
  delete(records: readonly StoredRecord[]): number {
    let deleted = 0;
    for (const [recordKey, bytes] of records) {
      if (this.#own?.has(keyOfCurrent(recordKey))) continue;
      this.#deleteOne(recordKey, decodeCurrent(recordKey, bytes));
      deleted += 1;
    }
    return deleted;
  }

  /**
   * Current versions of the selected keys as this draft leaves them, in key order.
   *
   * @param records - the stored ones
   */
  versions(keys: KeySelection, records: readonly StoredRecord[]): (StoredRecord | KeyVersion)[] {
    const own = this.#own;
    if (own === undefined || own.size === 0) return [...records];
    const kept: (StoredRecord | KeyVersion)[] = records.filter(
      ([recordKey]) => !own.has(keyOfCurrent(recordKey)),
    );
    for (const version of own.values()) {
      if (version !== undefined && selects(keys, version.key)) kept.push(version);
    }
    return kept.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  #deleteOne(recordKey: BinaryString, before: ChangeRecord): void {
    const { key } = before.version;
    const revision = this.#nextRevision;
    const sub = this.events.length;
    this.changes.push(
      [recordKey, undefined],
      [historyKey({ revision, sub }), encodeChange(deleteRecord({ revision, sub }, before))],
    );
    this.#close(before);
    this.events.push({ type: 'delete', key, revision, sub, previous: before.version });
    this.#own?.set(key, undefined);
  }

  #close({ version, sub }: ChangeRecord): void {
    this.#closed ??= encodeClosed(this.#nextRevision);
    const position = { revision: version.modRevision, sub };
    this.changes.push([closedKey(version.key, position), this.#closed]);
  }
}

interface Position {
  readonly revision: number;
  readonly sub: number;
}

function putVersion(
  { key, value, lease }: PutOperation,
  modRevision: number,
  before: KeyVersion | undefined,
): KeyVersion {
  return {
    key,
    value,
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
