/**
 * Holds what a watch was handed against what happened: W1 to W5 and W7 to W9 of reliability §4, by the
 * contents of all revisions.
 */
import type { KeyVersion } from '../../mvcc/types.js';
import type { KeyspaceState } from '../checkers/keyspace-state.js';
import { contentOf, type SeenChange, type WatchRecord } from './watch-record.js';

/** Which rule, and in words what was expected and what came. @since 0.1.0 */
export interface WatchFinding {
  readonly id: string;
  readonly message: string;
}

/** What each revision changed. @since 0.1.0 */
export class RevisionHistory {
  readonly #state: KeyspaceState;
  readonly #changes = new Map<number, readonly SeenChange[]>();

  /**
   * @param state - after the whole log
   */
  constructor(state: KeyspaceState) {
    this.#state = state;
  }

  get revision(): number {
    return this.#state.revision;
  }

  /** Last one that anybody compacted at; 0: nobody did. */
  get compactRevision(): number {
    return this.#state.compactRevision;
  }

  /** The changes of a revision, by key. */
  changesOf(revision: number): readonly SeenChange[] {
    let changes = this.#changes.get(revision);
    if (changes === undefined) {
      changes = this.#compare(revision);
      this.#changes.set(revision, changes);
    }
    return changes;
  }

  #compare(revision: number): readonly SeenChange[] {
    const before = this.#contentOf(revision - 1);
    const after = this.#contentOf(revision);
    const changes: SeenChange[] = [];
    for (const version of after.values()) {
      if (version.modRevision !== revision) continue;
      const { key } = version;
      changes.push({
        type: 'put',
        key,
        revision,
        content: contentOf(version),
        ...replaced(before.get(key)),
      });
    }
    for (const version of before.values()) {
      const { key } = version;
      if (after.has(key)) continue;
      changes.push({ type: 'delete', key, revision, content: '', ...replaced(version) });
    }
    return changes.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #contentOf(revision: number): ReadonlyMap<string, KeyVersion> {
    const content = this.#state.past.get(revision)?.range() ?? [];
    return new Map(content.map((version) => [version.key, version]));
  }
}

/**
 * What is wrong with a record; `undefined` when nothing is.
 *
 * @param record - of a watch
 * @param history - of the whole run
 * @since 0.1.0
 */
export function watchFinding(
  record: WatchRecord,
  history: RevisionHistory,
): WatchFinding | undefined {
  const { fromRevision, changes, batches, keys, member } = record;
  const where = `watch of [${keys.gte}, ${keys.lt ?? ''}) from ${fromRevision} on ${member}`;
  let next = fromRevision;
  let at = 0;
  for (const batch of batches) {
    if (batch.revision > history.revision || batch.revision < fromRevision - 1) {
      return { id: 'W6', message: `${where}: told of ${batch.revision}` };
    }
    for (; next <= batch.revision; next += 1) {
      const got = changes.slice(at, batch.changes).filter(({ revision }) => revision === next);
      if (!batch.whole && next === batch.revision) break;
      const expected = history.changesOf(next).filter((change) => isWanted(change, record));
      const message = difference(expected, got, next > history.compactRevision);
      if (message !== undefined) return { id: 'W4', message: `${where}: ${next}: ${message}` };
      at += got.length;
    }
    if (batch.whole && at !== batch.changes) {
      const { revision, key } = changes[at] as SeenChange;
      return { id: 'W1', message: `${where}: ${key}@${revision} is old, foreign or out of order` };
    }
  }
  const { end, compactRevision = 0 } = record;
  if (end === 'compacted' && compactRevision > history.compactRevision) {
    const message = `${where}: told that ${compactRevision} is compacted, which it never was`;
    return { id: 'W10', message };
  }
  // At the compacted revision itself every change is still there (etcd 18089).
  if (end === 'compacted' && compactRevision <= next) {
    const message = `${where}: had everything up to ${next - 1}, told that ${compactRevision} is compacted`;
    return { id: 'W10', message };
  }
  return undefined;
}

function isWanted({ key, type }: SeenChange, { filter, keys }: WatchRecord): boolean {
  if (type === 'put' ? filter.noPut === true : filter.noDelete === true) return false;
  return key >= keys.gte && (keys.lt === undefined || key < keys.lt);
}

function replaced(
  before: KeyVersion | undefined,
): Pick<SeenChange, 'previous' | 'previousContent'> {
  return { previous: before?.modRevision, previousContent: before && contentOf(before) };
}

function difference(
  expected: readonly SeenChange[],
  got: readonly SeenChange[],
  isWhole: boolean,
): string | undefined {
  if (expected.length !== got.length) {
    return `expected ${expected.length} changes, got ${got.length}`;
  }
  const sorted = [...got].sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const [at, want] of expected.entries()) {
    const have = sorted[at] as SeenChange;
    const isSame =
      want.key === have.key && want.type === have.type && want.content === have.content;
    if (!isSame) return `expected ${say(want)}, got ${say(have)}`;
    // At the compacted revision it may be left out (W8).
    if (have.previous === undefined && !isWhole) continue;
    if (have.previous !== want.previous || have.previousContent !== want.previousContent) {
      return `expected ${want.key} to replace ${want.previous} ${want.previousContent}, got ${have.previous} ${have.previousContent}`;
    }
  }
  return undefined;
}

function say({ type, key, content }: SeenChange): string {
  return `${type} ${key} ${content}`;
}
