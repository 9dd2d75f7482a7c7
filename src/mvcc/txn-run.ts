/**
 * One run of a transaction: the compares choose a branch on the state before, then its operations
 * run in order, each seeing the earlier ones (etcd parity §2.6).
 */
import { unreachable } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { rangesOf, rangesOfBranch } from './command-plan.js';
import { compareHolds } from './compare.js';
import { type ReadableRevisions, revisionFault } from './range-query.js';
import {
  answerRange,
  currentVersion,
  findVersions,
  foundVersion,
  isOldRange,
  missingRecords,
  type RangeAnswer,
  storedCurrent,
} from './range-read.js';
import type { ReadView } from './read-view.js';
import { decodeCurrent } from './record.js';
import { currentKey } from './record-keys.js';
import type { RevisionDraft } from './revision-draft.js';
import type { Compare, Operation, RangeOperation, TxnCommand, TxnResult } from './types.js';

/**
 * Chooses and runs a branch of a faultless transaction.
 *
 * @since 0.1.0
 */
export class TxnRun {
  readonly succeeded: boolean;
  /** The operations that run. */
  readonly branch: readonly Operation[];
  readonly #view: ReadView;
  /** Place of the branch's first range in the plan. */
  readonly #rangesAt: number;

  /**
   * @param command - the transaction
   * @param view - the answer to its plan
   */
  constructor(command: TxnCommand, view: ReadView) {
    this.#view = view;
    this.succeeded = command.compares.every((compare) => this.#holds(compare));
    this.branch = this.succeeded ? command.success : command.failure;
    this.#rangesAt = this.succeeded ? 0 : rangesOfBranch(command.success);
  }

  /** Keys of the history records that the branch's reads of old revisions still need. */
  missing(readable: ReadableRevisions): BinaryString[] {
    const keys: BinaryString[] = [];
    let rangeAt = this.#rangesAt;
    for (const operation of this.branch) {
      if (operation.op === 'range' && isOldRange(operation)) {
        // Such a transaction will be refused: nothing more to read for it.
        if (revisionFault(readable, operation.revision) !== undefined) return [];
        const found = findVersions(operation, this.#view, rangeAt);
        keys.push(...missingRecords(operation, found));
      }
      rangeAt += rangesOf(operation);
    }
    return keys;
  }

  /** Runs the branch; the draft takes its effect. */
  execute(draft: RevisionDraft): TxnResult {
    draft.trackOwn();
    const results: TxnResult['results'][number][] = [];
    let rangeAt = this.#rangesAt;
    for (const operation of this.branch) {
      results.push(this.#run(operation, rangeAt, draft));
      rangeAt += rangesOf(operation);
    }
    return { op: 'txn', succeeded: this.succeeded, revision: draft.revision, results };
  }

  #run(operation: Operation, rangeAt: number, draft: RevisionDraft): TxnResult['results'][number] {
    switch (operation.op) {
      case 'put': {
        const previous = draft.put(operation);
        return { op: 'put', revision: draft.revision, previous };
      }
      case 'delete': {
        const deleted = draft.delete(storedCurrent(operation.keys, this.#view, rangeAt));
        return { op: 'delete', revision: draft.revision, deleted };
      }
      case 'range': {
        const answer = this.#range(operation, rangeAt, draft);
        return { op: 'range', revision: draft.revision, ...answer };
      }
      default:
        return unreachable(operation);
    }
  }

  #range(operation: RangeOperation, rangeAt: number, draft: RevisionDraft): RangeAnswer {
    if (isOldRange(operation)) {
      const found = findVersions(operation, this.#view, rangeAt);
      return answerRange(operation, found, (it) => foundVersion(it, this.#view));
    }
    const stored = storedCurrent(operation.keys, this.#view, rangeAt);
    return answerRange(operation, draft.versions(operation.keys, stored), (it) =>
      'key' in it ? it : currentVersion(it),
    );
  }

  #holds(compare: Compare): boolean {
    const recordKey = currentKey(compare.key);
    const bytes = this.#view.record(recordKey);
    const current = bytes === undefined ? undefined : decodeCurrent(recordKey, bytes).version;
    return compareHolds(compare, current);
  }
}
