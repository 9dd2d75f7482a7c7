/**
 * Transactions that only read, outside the log: as a {@link Query}, like a range. They are of one
 * moment, and never take a revision (etcd parity §2.6).
 */
import { assert } from '../base/assert.js';
import { planTxnQuery } from './command-plan.js';
import type { Query, QueryDone } from './query.js';
import { complete } from './range-slices.js';
import { emptyPlan, FetchedView } from './read-view.js';
import type { ReadableRevisions } from './readable-revisions.js';
import { RevisionDraft } from './revision-draft.js';
import { HashSums } from './state-hash.js';
import { chooseBranches } from './txn-choice.js';
import { TxnRun } from './txn-run.js';
import type { Operation, TxnCommand, TxnResult } from './types.js';

/**
 * Whether no branch of a transaction can change anything.
 *
 * @since 0.1.0
 */
export function isReadOnly({ success, failure }: TxnCommand): boolean {
  return success.every(reads) && failure.every(reads);
}

/**
 * Starts a query of a transaction that is read only.
 *
 * @param command - without fault
 * @param readable - the keyspace's ends, live: they are asked again after each fetch
 * @throws {KontikiError} from the query: COMPACTED, FUTURE_REVISION
 * @since 0.1.0
 */
export function startTxnQuery(command: TxnCommand, readable: ReadableRevisions): Query<TxnResult> {
  assert(isReadOnly(command), 'only transactions that read go around the log');
  const { revision } = readable;
  const plan = emptyPlan();
  planTxnQuery(command, plan);
  const view = new FetchedView();
  // It puts nothing, so it never asks for a lease.
  const stateNow = () => {
    return { revision, compactRevision: readable.compactRevision, hasLease: () => false };
  };
  const finish = (run: TxnRun): QueryDone<TxnResult> => {
    // A compaction between the fetches may have taken the records away.
    const refusal = run.refusal(stateNow());
    if (refusal !== undefined) throw refusal;
    const draft = new RevisionDraft(view, revision + 1, new HashSums());
    return { done: true, result: complete(run.execute(draft, stateNow())) };
  };
  return {
    done: false,
    plan,
    next: (reads) => {
      view.add(plan, reads);
      // All is read: between two fetches of a slice another command could be applied.
      const run = new TxnRun(complete(chooseBranches(command, view)), view);
      const keys = run.missing(stateNow());
      if (keys.length === 0) return finish(run);
      const history = { keys, ranges: [] };
      return {
        done: false,
        plan: history,
        next: (more) => {
          view.add(history, more);
          return finish(run);
        },
      };
    },
  };
}

function reads(operation: Operation): boolean {
  return operation.op === 'range' || (operation.op === 'txn' && isReadOnly(operation));
}
