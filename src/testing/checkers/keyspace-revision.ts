/** A revision of the keyspace while its operations run. */
import { unreachable } from '../../base/assert.js';
import type {
  KeyVersion,
  Operation,
  OperationResult,
  PutOperation,
  TxnCommand,
} from '../../mvcc/types.js';
import { holds, rangeOf } from './keyspace-range.js';
import type { KeyspaceContent, KeyspaceState } from './keyspace-state.js';

/**
 * A revision in the making.
 *
 * @since 0.1.0
 */
export class KeyspaceRevision {
  readonly #before: KeyspaceState;
  #content: KeyspaceContent;

  /**
   * @param before - the state that it changes
   */
  constructor(before: KeyspaceState) {
    this.#before = before;
    this.#content = before.current;
  }

  /** The new one once something was changed, the one before until then. */
  get revision(): number {
    const { current, revision } = this.#before;
    return this.#content === current ? revision : revision + 1;
  }

  /** The state afterwards. */
  seal(): KeyspaceState {
    const current = this.#content;
    if (current === this.#before.current) return this.#before;
    const { revision } = this;
    return { ...this.#before, revision, current, past: this.#before.past.set(revision, current) };
  }

  /** Deletes keys. */
  delete(kvs: readonly KeyVersion[]): void {
    for (const { key } of kvs) this.#content = this.#content.delete(key);
  }

  /** Runs one operation on what the earlier ones left. */
  run(operation: Operation): OperationResult {
    switch (operation.op) {
      case 'put': {
        const previous = this.#put(operation);
        const answer = { op: 'put', revision: this.revision } as const;
        return operation.previous === true ? { ...answer, previous } : answer;
      }
      case 'delete': {
        const gone = this.#content.range(operation.keys.gte, operation.keys.lt);
        this.delete(gone);
        const answer = { op: 'delete', revision: this.revision, deleted: gone.length } as const;
        return operation.previous === true ? { ...answer, previous: gone } : answer;
      }
      case 'range': {
        const { past } = this.#before;
        const { revision } = operation;
        const content = revision === undefined ? this.#content : past.get(revision);
        const answer = rangeOf(operation, content as KeyspaceContent);
        return { op: 'range', revision: this.revision, ...answer };
      }
      case 'txn': {
        const { succeeded, branch } = branchOf(operation, this.#before.current);
        const results = branch.map((each) => this.run(each));
        return { op: 'txn', succeeded, revision: this.revision, results };
      }
      default:
        return unreachable(operation);
    }
  }

  #put({ key, value, lease, ...keeps }: PutOperation): KeyVersion | undefined {
    const previous = this.#content.get(key);
    const modRevision = this.#before.revision + 1;
    const attached = keeps.ignoreLease === true ? previous?.lease : lease;
    this.#content = this.#content.set(key, {
      key,
      value: keeps.ignoreValue === true && previous !== undefined ? previous.value : value,
      createRevision: previous?.createRevision ?? modRevision,
      modRevision,
      version: (previous?.version ?? 0) + 1,
      lease: attached === 0n ? undefined : attached,
    });
    return previous;
  }
}

/**
 * The branch of a transaction that runs.
 *
 * @param txn - also one inside another
 * @param before - what was there before the outermost
 * @since 0.1.0
 */
export function branchOf(
  txn: TxnCommand,
  before: KeyspaceContent,
): { readonly succeeded: boolean; readonly branch: readonly Operation[] } {
  const succeeded = txn.compares.every((compare) => holds(compare, before));
  return { succeeded, branch: succeeded ? txn.success : txn.failure };
}
