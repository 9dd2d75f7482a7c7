/**
 * One run of a transaction: what may refuse it, then its chosen operations in order, each seeing the
 * earlier ones (etcd parity §2.6).
 */
import type { BinaryString } from '../base/bytes.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import type { StoredRecord } from './backend.js';
import { leaseNotFound } from './lease-run.js';
import type { LeaseLookup } from './lease-table.js';
import {
  currentVersion,
  findVersions,
  foundVersion,
  isOldRange,
  missingRecords,
  storedAscending,
  storedCurrent,
} from './range-read.js';
import { type RangeAnswer, shapeRange } from './range-shape.js';
import { eachSlice, type Steps } from './range-slices.js';
import type { ReadView } from './read-view.js';
import { type ReadableRevisions, revisionFault } from './readable-revisions.js';
import { currentKey, currentRange } from './record-keys.js';
import type { RevisionDraft } from './revision-draft.js';
import { singleKey } from './selection.js';
import type { TxnChoice, TxnStep } from './txn-choice.js';
import { readOld, readUnchanged } from './txn-range.js';
import type {
  DeleteOperation,
  DeleteResult,
  KeyVersion,
  Operation,
  OperationResult,
  PutOperation,
  PutResult,
  RangeOperation,
  TxnResult,
} from './types.js';

/** By key; where there is more than one, by the revision of each. */
type AnsweredVersions = Map<BinaryString, KeyVersion | Map<number, KeyVersion>>;

/** What a range of a transaction is answered from. */
interface RangeStep {
  readonly rangeAt: number;
  readonly draft: RevisionDraft;
  readonly state: ReadableRevisions;
}

/** What of the keyspace can refuse a command. @since 0.1.0 */
export type CommandState = ReadableRevisions & LeaseLookup;

/**
 * Runs the chosen branches of a faultless transaction.
 *
 * @since 0.1.0
 */
export class TxnRun {
  readonly #choice: TxnChoice;
  readonly #view: ReadView;
  /** Versions that ranges answered. */
  readonly #answered: AnsweredVersions = new Map();
  /** The same without their values. */
  readonly #answeredKeys: AnsweredVersions = new Map();
  /** Steps, and versions that they answered, since the turn began. */
  #looked = 0;

  /**
   * @param choice - what is to run
   * @param view - the answer to the transaction's plan
   */
  constructor(choice: TxnChoice, view: ReadView) {
    this.#choice = choice;
    this.#view = view;
  }

  /** A query's: keys of the history records that reads of old revisions still need. */
  missing(state: CommandState): BinaryString[] {
    // A transaction that will be refused reads nothing more.
    if (this.refusal(state) !== undefined) return [];
    const keys: BinaryString[] = [];
    eachStep(this.#choice, ({ operation, rangeAt }) => {
      if (operation.op !== 'range' || !isOldRange(operation)) return undefined;
      const found = findVersions(operation, this.#view, rangeAt);
      for (const key of missingRecords(operation, found)) keys.push(key);
      return undefined;
    });
    return keys;
  }

  /**
   * Why the whole transaction is refused; `undefined` when it is not. Everything that can refuse it
   * is here, before its first change.
   */
  refusal(state: CommandState): KontikiError | undefined {
    return eachStep(this.#choice, ({ operation }) => {
      return operationRefusal(operation, this.#view, state);
    });
  }

  /**
   * Runs it; the draft takes its effect.
   *
   * @param state - what {@link refusal} was asked about
   */
  execute(draft: RevisionDraft, state: ReadableRevisions): Steps<TxnResult> {
    draft.trackOwn();
    return this.#runAll(this.#choice, draft, state);
  }

  *#runAll(
    { succeeded, steps }: TxnChoice,
    draft: RevisionDraft,
    state: ReadableRevisions,
  ): Steps<TxnResult> {
    const results: OperationResult[] = [];
    const { slice } = this.#view;
    for (const { operation, rangeAt, inner } of steps) {
      if (operation.op === 'delete') {
        results.push(yield* runDelete(operation, this.#view, draft));
      } else if (operation.op === 'txn') {
        results.push(yield* this.#runAll(inner as TxnChoice, draft, state));
      } else if (operation.op === 'put') {
        results.push(runPut(operation, draft));
      } else {
        const answer = yield* this.#range(operation, { rangeAt, draft, state });
        const { revision } = draft;
        const kvs = slice === undefined ? answer.kvs : this.#shared(operation, answer.kvs);
        results.push({ ...answer, op: 'range', revision, kvs });
        this.#looked += answer.count ?? kvs.length;
      }
      this.#looked += 1;
      // Many changes, or answers, that are small by themselves are as much work as a large one.
      if (slice === undefined) continue;
      if (draft.isOver(slice) || this.#looked >= slice.limit) {
        this.#looked = 0;
        yield { keys: [], ranges: [] };
      }
    }
    return { op: 'txn', succeeded, revision: draft.revision, results };
  }

  /**
   * What thousands of ranges answer may be the same keys, each time read anew: their values are kept
   * once. A key has one version of a revision.
   */
  #shared({ keysOnly }: RangeOperation, kvs: readonly KeyVersion[]): readonly KeyVersion[] {
    const answered = keysOnly === true ? this.#answeredKeys : this.#answered;
    return kvs.map((version) => {
      const { key, modRevision } = version;
      const known = answered.get(key);
      if (known === undefined) {
        answered.set(key, version);
        return version;
      }
      if (!(known instanceof Map)) {
        if (known.modRevision === modRevision) return known;
        const both = [known, version] as const;
        answered.set(key, new Map(both.map((each) => [each.modRevision, each])));
        return version;
      }
      const same = known.get(modRevision);
      if (same === undefined) known.set(modRevision, version);
      return same ?? version;
    });
  }

  *#range(operation: RangeOperation, { rangeAt, draft, state }: RangeStep): Steps<RangeAnswer> {
    const view = this.#view;
    const { slice } = view;
    if (isOldRange(operation)) {
      if (slice !== undefined) return yield* readOld(operation, state);
      const found = findVersions(operation, view, rangeAt);
      return shapeRange(operation, found, (it) => foundVersion(it, view));
    }
    const { keys } = operation;
    const isRead = slice === undefined || singleKey(keys) !== undefined;
    const stored = isRead
      ? storedAscending(operation, view, rangeAt)
      : yield* readUnchanged(operation, slice, draft);
    return shapeRange(operation, draft.versions(operation, stored), (it) =>
      'key' in it ? it : currentVersion(it),
    );
  }
}

/**
 * Why the state before refuses an operation; `undefined` when it does not.
 *
 * @param operation - faultless by itself
 * @param view - the state before
 * @param state - the ends of what can be read, and the leases there are
 * @since 0.1.0
 */
export function operationRefusal(
  operation: Operation,
  view: ReadView,
  state: CommandState,
): KontikiError | undefined {
  if (operation.op === 'put') return putRefusal(operation, view, state);
  if (operation.op !== 'range' || operation.revision === undefined) return undefined;
  return revisionFault(state, operation.revision);
}

/**
 * Puts a key.
 *
 * @param put - that nothing refuses
 * @since 0.1.0
 */
export function runPut(put: PutOperation, draft: RevisionDraft): PutResult {
  const previous = draft.put(put);
  const { revision } = draft;
  // A session keeps the answer: nobody pays for a version that was not asked for (ADR 0015).
  return put.previous === true ? { op: 'put', revision, previous } : { op: 'put', revision };
}

/**
 * Deletes what an operation selects.
 *
 * @since 0.1.0
 */
export function* runDelete(
  { keys, previous }: DeleteOperation,
  view: ReadView,
  draft: RevisionDraft,
): Steps<DeleteResult> {
  const gone: KeyVersion[] | undefined = previous === true ? [] : undefined;
  let deleted = 0;
  const take = (records: readonly StoredRecord[]): boolean => {
    deleted += draft.delete(records, gone);
    return true;
  };
  if (singleKey(keys) !== undefined) {
    take(storedCurrent(keys, view, 0));
  } else {
    for (const part of draft.undeleted(keys)) {
      yield* eachSlice({ ...currentRange(part), ...view.slice }, take);
    }
  }
  draft.deletedAll(keys);
  const result: DeleteResult = { op: 'delete', revision: draft.revision, deleted };
  return gone === undefined ? result : { ...result, previous: gone };
}

function putRefusal(
  put: PutOperation,
  view: ReadView,
  leases: LeaseLookup,
): KontikiError | undefined {
  const { lease, ignoreValue, ignoreLease } = put;
  const keeps = ignoreValue === true || ignoreLease === true;
  if (!keeps || view.record(currentKey(put.key)) !== undefined) {
    // 0 is how etcd's clients say "no lease".
    if (lease === undefined || lease === 0n || leases.hasLease(lease)) return undefined;
    return leaseNotFound(lease);
  }
  const name = JSON.stringify(put.key);
  return kontikiError('KEY_NOT_FOUND', `key ${name} has no value or lease to keep`, {
    outcome: 'rejected',
  });
}

/** Visits the steps that run, in order, until a visit gives something. */
function eachStep<T>({ steps }: TxnChoice, visit: (step: TxnStep) => T | undefined): T | undefined {
  for (const step of steps) {
    const found = step.inner === undefined ? visit(step) : eachStep(step.inner, visit);
    if (found !== undefined) return found;
  }
  return undefined;
}
