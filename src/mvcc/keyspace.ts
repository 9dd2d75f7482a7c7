/**
 * The multi-version keyspace as a pure function: a command and the records it planned to read give
 * a result, changes to records, and events, the same on every member (DESIGN §4.5, §4.12).
 */
import { unreachable } from '../base/assert.js';
import type { KontikiError } from '../base/errors.js';
import type { Change, ReadPlan, ReadSet } from './backend.js';
import { commandFault, operationFault } from './command-check.js';
import { planCommand } from './command-plan.js';
import { type History, type HistoryRange, startHistoryQuery } from './history-query.js';
import { decodeMeta, encodeMeta, freshMeta, type KeyspaceMeta } from './meta.js';
import type { Query } from './query.js';
import { revisionFault, startRangeQuery } from './range-query.js';
import { storedCurrent } from './range-read.js';
import { emptyPlan, type ReadView } from './read-view.js';
import { metaKey } from './record-keys.js';
import { RevisionDraft } from './revision-draft.js';
import { TxnRun } from './txn-run.js';
import type {
  Command,
  CommandResult,
  KeyEvent,
  RangeOperation,
  RangeResult,
  TxnCommand,
} from './types.js';

/** What came of a command. An error has no effect at all. @since 0.1.0 */
export interface Execution {
  readonly result: CommandResult | KontikiError;
  /** To be stored together; empty when nothing changed. */
  readonly changes: readonly Change[];
  /** Of the new revision, in order; empty when nothing changed. */
  readonly events: readonly KeyEvent[];
}

const noChanges: readonly Change[] = [];
const noEvents: readonly KeyEvent[] = [];

/**
 * The state of a keyspace that is not in records: its numbers. Caller: the state machine, one
 * command after the other.
 *
 * @since 0.1.0
 */
export class Keyspace {
  #meta: KeyspaceMeta;

  private constructor(meta: KeyspaceMeta) {
    this.#meta = meta;
  }

  /** What {@link Keyspace.open} must be given. */
  static openPlan(): ReadPlan {
    return { keys: [metaKey], ranges: [] };
  }

  /**
   * Opens the keyspace whose records the answer to {@link Keyspace.openPlan} came from.
   *
   * @throws {KontikiError} STATE_CORRUPT; FORMAT_UNSUPPORTED when a newer version wrote it
   */
  static open(reads: ReadSet): Keyspace {
    const bytes = reads.records[0];
    return new Keyspace(bytes === undefined ? freshMeta : decodeMeta(bytes));
  }

  /** Current revision; 1 before the first change. */
  get revision(): number {
    return this.#meta.revision;
  }

  /** The oldest revision that can be read; 0 before the first compaction. */
  get compactRevision(): number {
    return this.#meta.compactRevision;
  }

  /** What `command` must see. Depends on the command alone. */
  plan(command: Command): ReadPlan {
    const plan = emptyPlan();
    planCommand(command, plan);
    return plan;
  }

  /**
   * What `command` must see beside its plan: the history records behind reads of old revisions
   * inside a transaction. `undefined`: nothing.
   *
   * @param view - the answer to the plan
   */
  planMore(command: Command, view: ReadView): ReadPlan | undefined {
    if (command.op !== 'txn' || commandFault(command) !== undefined) return undefined;
    const keys = new TxnRun(command, view).missing(this);
    return keys.length === 0 ? undefined : { keys, ranges: [] };
  }

  /**
   * Executes a command. Never throws for what a command holds: its faults are results, equal on
   * every member. Values of puts belong to the keyspace afterwards.
   *
   * @param view - the answers to {@link plan} and {@link planMore}
   * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED, when a record is damaged
   */
  execute(command: Command, view: ReadView): Execution {
    const execution = this._execute(command, view);
    if (execution.changes.length === 0) return execution;
    return { ...execution, changes: [...execution.changes, this._metaChange()] };
  }

  /** A batch's: as {@link execute}, without the meta record, which the batch adds once. */
  _execute(command: Command, view: ReadView): Execution {
    const fault = commandFault(command);
    if (fault !== undefined) return { result: fault, changes: noChanges, events: noEvents };
    const draft = new RevisionDraft(view, this.#meta.revision + 1);
    const result = this.#run(command, view, draft);
    if (draft.events.length === 0) return { result, changes: noChanges, events: noEvents };
    const { compactRevision, semanticsLevel } = this.#meta;
    this.#meta = { revision: draft.revision, compactRevision, semanticsLevel };
    return { result, changes: draft.changes, events: draft.events };
  }

  /** A batch's: the meta record as it is now. */
  _metaChange(): Change {
    return [metaKey, encodeMeta(this.#meta)];
  }

  /**
   * Starts a read. Its first plan must be handed to the backend in the same turn (see
   * {@link Query}).
   *
   * @throws {KontikiError} COMPACTED, FUTURE_REVISION, KEY_EMPTY, ARGUMENT_INVALID
   */
  rangeQuery(operation: RangeOperation): Query<RangeResult> {
    const fault = operationFault(operation);
    if (fault !== undefined) throw fault;
    return startRangeQuery(operation, this);
  }

  /**
   * Starts a read of what happened. A revision is never split over two answers.
   *
   * @throws {KontikiError} COMPACTED, when `fromRevision` is below {@link compactRevision}
   */
  historyQuery(range: HistoryRange): Query<History> {
    return startHistoryQuery(range, this);
  }

  #run(command: Command, view: ReadView, draft: RevisionDraft): CommandResult | KontikiError {
    switch (command.op) {
      case 'put': {
        const previous = draft.put(command);
        return { op: 'put', revision: draft.revision, previous };
      }
      case 'delete': {
        const deleted = draft.delete(storedCurrent(command.keys, view, 0));
        return { op: 'delete', revision: draft.revision, deleted };
      }
      case 'txn':
        return this.#runTxn(command, view, draft);
      default:
        return unreachable(command);
    }
  }

  /** Everything that may refuse the transaction comes before its first change. */
  #runTxn(command: TxnCommand, view: ReadView, draft: RevisionDraft) {
    const run = new TxnRun(command, view);
    for (const operation of run.branch) {
      if (operation.op !== 'range' || operation.revision === undefined) continue;
      const fault = revisionFault(this, operation.revision);
      if (fault !== undefined) return fault;
    }
    return run.execute(draft);
  }
}
