/**
 * The multi-version keyspace as a pure function: a command and the records it planned to read give
 * a result, changes to records, and events, the same on every member (DESIGN §4.5, §4.12).
 */
import { assert, unreachable } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import type { KontikiError } from '../base/errors.js';
import { alarmRecords } from './alarm-record.js';
import { AlarmTable } from './alarm-table.js';
import type { AlarmCommand, AlarmResult } from './alarm-types.js';
import type { Change, ReadPlan, ReadSet } from './backend.js';
import { commandFault, operationFault } from './command-check.js';
import { CommandRun } from './command-run.js';
import { type CompactionSlice, startCompactionSlice } from './compaction.js';
import {
  type CompactionProgress,
  decodeProgress,
  encodeProgress,
  freshProgress,
} from './compaction-progress.js';
import { type History, type HistoryRange, startHistoryQuery } from './history-query.js';
import { startLeaseKeysQuery } from './lease-keys-query.js';
import { leaseRecords } from './lease-record.js';
import { runLease } from './lease-run.js';
import { type LeaseLookup, LeaseTable } from './lease-table.js';
import type {
  CommandOrigin,
  LeaseCommand,
  LeaseEntry,
  LeaseRevokeCommand,
  LogPlace,
} from './lease-types.js';
import { decodeMeta, encodeMeta, freshMeta, type KeyspaceMeta, sumsOfMeta } from './meta.js';
import type { Query } from './query.js';
import { startRangeQuery } from './range-query.js';
import { complete, type Steps } from './range-slices.js';
import type { FetchedView, ReadView } from './read-view.js';
import { compactionFault } from './readable-revisions.js';
import { metaKey, progressKey } from './record-keys.js';
import { RevisionDraft } from './revision-draft.js';
import { sessionRecords } from './session-record.js';
import { SessionTable } from './session-table.js';
import type { SessionOpenResult } from './session-types.js';
import { type HashLane, HashSums, hashOfMeta } from './state-hash.js';
import { chooseBranches } from './txn-choice.js';
import { startTxnQuery } from './txn-query.js';
import { operationRefusal, runDelete, runPut, TxnRun } from './txn-run.js';
import type {
  Command,
  CommandResult,
  CompactCommand,
  CompactResult,
  DeleteOperation,
  KeyEvent,
  PutOperation,
  PutResult,
  RangeOperation,
  RangeResult,
  ReadLease,
  ReadLeaseCommand,
  ReadLeaseResult,
  TxnCommand,
  TxnResult,
} from './types.js';

/** What came of a command. An error has no effect at all. @since 0.1.0 */
export interface Execution {
  readonly result: CommandResult | KontikiError;
  /** To be stored together; empty when nothing changed. */
  readonly changes: readonly Change[];
  /** Of the new revision, in order; empty when nothing changed. */
  readonly events: readonly KeyEvent[];
  /** The request was not executed, for it had come before: so there is no effect to tell of. */
  readonly isRepeated?: true;
}

/** A command that can read more than single keys. @since 0.1.0 */
export type RangedCommand = DeleteOperation | TxnCommand | LeaseRevokeCommand;

const noChanges: readonly Change[] = [];
const noEvents: readonly KeyEvent[] = [];

/**
 * The state of a keyspace that is not in records: its numbers. Caller: the state machine, one
 * command after the other.
 *
 * @since 0.1.0
 */
export class Keyspace implements LeaseLookup {
  #meta: KeyspaceMeta;
  readonly #sums: HashSums;
  /** Of the command that executes. */
  readonly #draftSums = new HashSums();
  #progress: CompactionProgress = freshProgress;
  #removed = new HashSums();
  readonly #leases: LeaseTable;
  readonly #sessions: SessionTable;
  /** What the group knows to be wrong; changed by commands only. */
  readonly alarms: AlarmTable;

  private constructor(
    meta: KeyspaceMeta,
    sums: HashSums,
    tables: {
      readonly leases: LeaseTable;
      readonly sessions: SessionTable;
      readonly alarms: AlarmTable;
    },
  ) {
    this.#meta = meta;
    this.#sums = sums;
    this.#leases = tables.leases;
    this.#sessions = tables.sessions;
    this.alarms = tables.alarms;
  }

  /** What {@link Keyspace.open} must be given. */
  static openPlan(): ReadPlan {
    return { keys: [metaKey, progressKey], ranges: [leaseRecords, sessionRecords, alarmRecords] };
  }

  /**
   * Opens the keyspace whose records the answer to {@link Keyspace.openPlan} came from.
   *
   * @throws {KontikiError} STATE_CORRUPT; FORMAT_UNSUPPORTED when a newer version wrote it
   */
  static open({ records: [meta, progress], ranges }: ReadSet): Keyspace {
    const tables = {
      leases: LeaseTable.of(ranges[0] ?? []),
      sessions: SessionTable.of(ranges[1] ?? []),
      alarms: AlarmTable.of(ranges[2] ?? []),
    };
    const keyspace =
      meta === undefined
        ? new Keyspace(freshMeta, new HashSums(), tables)
        : new Keyspace(decodeMeta(meta), sumsOfMeta(meta), tables);
    if (progress !== undefined) {
      const stored = decodeProgress(progress);
      keyspace.#progress = stored.progress;
      keyspace.#removed = stored.removed;
    }
    return keyspace;
  }

  /** Current revision; 1 before the first change. */
  get revision(): number {
    return this.#meta.revision;
  }

  /** The oldest revision that can be read; 0 before the first compaction. */
  get compactRevision(): number {
    return this.#meta.compactRevision;
  }

  hasLease(id: bigint): boolean {
    return this.#leases.get(id) !== undefined;
  }

  /** A lease as it is now; `undefined` when there is none of that id. */
  lease(id: bigint): LeaseEntry | undefined {
    return this.#leases.get(id);
  }

  /** All leases, in no particular order; to be walked in one go. */
  leases(): IterableIterator<LeaseEntry> {
    return this.#leases.values();
  }

  /** Starts a read of the keys attached to a lease, in key order. */
  leaseKeysQuery(id: bigint): Query<readonly BinaryString[]> {
    return startLeaseKeysQuery(id);
  }

  /** How many leases there are. */
  get leaseCount(): number {
    return this.#leases.size;
  }

  /** How many sessions there are. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** How long a leader may read without asking the others. */
  get readLease(): ReadLease {
    return this.#meta.readLease;
  }

  /**
   * 128 bits over everything that is the same on every member at an applied index, as 32 hexadecimal
   * digits. Costs the same whatever the keyspace holds.
   */
  get stateHash(): string {
    return hashOfMeta(encodeMeta(this.#meta, this.#sums));
  }

  /** One sum of the state hash, to tell where two members differ. */
  laneHash(lane: HashLane): string {
    return this.#sums.text(lane);
  }

  /**
   * What was removed from history so far: the sum of all history ever written is this and the sum of
   * the records that are left. Equal on all members that have removed up to the same `revision`.
   */
  get removedHash(): {
    readonly revision: number;
    readonly isWhole: boolean;
    readonly hash: string;
  } {
    const { done, target } = this.#progress;
    return { revision: done, isWhole: done === target, hash: this.#removed.text('history') };
  }

  /**
   * A batch's: executes a command that reads single keys. Never throws for what a command holds: its
   * faults are results, equal on every member. Values of puts belong to the keyspace afterwards.
   *
   * @param view - the answer to its plan
   * @param origin - where in the log the command stands; commands about leases and sessions need it
   * @returns without the records of sessions and the meta record, which the batch adds once
   * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED, when a record is damaged
   */
  _execute(command: Command, view: FetchedView, origin?: CommandOrigin): Execution {
    const answered = this._answered(origin);
    if (answered !== undefined) {
      return { result: answered, changes: noChanges, events: noEvents, isRepeated: true };
    }
    const execution = this.#executeOnce(command, view, origin);
    this.#keepAnswer(execution, origin);
    return execution;
  }

  /** A batch's: what a command that must not be executed is answered; `undefined`: it is to be. */
  _answered(origin: CommandOrigin | undefined): CommandResult | KontikiError | undefined {
    const request = origin?.request;
    return request === undefined ? undefined : this.#sessions.answered(request);
  }

  /**
   * A batch's: begins a command that stands alone. Nothing else may be executed before it is given
   * to {@link _finish}, and nothing shows until then.
   *
   * @param view - the answer to its plan
   * @param place - where in the log the command stands; a revoke needs it
   * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED, when a record is damaged
   */
  _begin(command: RangedCommand, view: FetchedView, place?: LogPlace): CommandRun {
    const draft = this.#draft(view);
    return new CommandRun(this.#checked(command, view, draft, place), draft);
  }

  /** A batch's: makes what a command did the present state. Changes handed out before are not in it. */
  _finish({ draft, result }: CommandRun, origin?: CommandOrigin): Execution {
    const execution = this.#commit(draft, result);
    this.#keepAnswer(execution, origin);
    return execution;
  }

  /**
   * A batch's: adds what its commands changed together, the sessions and the meta record.
   *
   * @param changes - of all its commands
   * @param isChanged - whether there are any, be they put aside
   */
  _endBatch(changes: Change[], isChanged: boolean = changes.length > 0): void {
    const before = changes.length;
    this.#sessions.takeChanges(changes, this.#sums);
    if (isChanged || changes.length > before) {
      changes.push(this.#metaChange());
    }
  }

  /**
   * The next step of removing what compactions gave up, at this member's own pace; `undefined` when
   * nothing is left to remove. One at a time, and its result goes to {@link finishSlice}. Commands
   * may be executed in between.
   *
   * @param changesMax - changes to look at, 1 or more: the work of the step
   */
  compactionSlice(changesMax: number): Query<CompactionSlice> | undefined {
    return startCompactionSlice(this.#progress, this.#meta.compactRevision, changesMax);
  }

  /**
   * Takes the result of {@link compactionSlice}.
   *
   * @returns the changes to hand to the backend, at once
   */
  finishSlice(slice: CompactionSlice): readonly Change[] {
    assert(slice.from === this.#progress, 'compaction slices follow each other');
    this.#progress = slice.to;
    this.#removed.addSums(slice.removed);
    return [...slice.removals, [progressKey, encodeProgress(slice.to, this.#removed)]];
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
   * Starts a transaction that only reads, outside the log. Its first plan must be handed to the
   * backend in the same turn (see {@link Query}).
   *
   * @param command - one that `isReadOnly`
   * @throws {KontikiError} COMPACTED, FUTURE_REVISION, KEY_EMPTY, ARGUMENT_INVALID: from here or from
   *   the query
   */
  txnQuery(command: TxnCommand): Query<TxnResult> {
    const fault = commandFault(command);
    if (fault !== undefined) throw fault;
    return startTxnQuery(command, this);
  }

  /**
   * Starts a read of what happened. A revision is never split over two answers.
   *
   * @throws {KontikiError} COMPACTED, when `fromRevision` is below {@link compactRevision}
   */
  historyQuery(range: HistoryRange): Query<History> {
    return startHistoryQuery(range, this);
  }

  #keepAnswer({ result }: Execution, origin: CommandOrigin | undefined): void {
    if (origin?.request !== undefined) this.#sessions.keep(origin.request, result, origin.index);
  }

  #executeOnce(command: Command, view: FetchedView, origin: CommandOrigin | undefined): Execution {
    const fault = commandFault(command);
    if (fault !== undefined) return { result: fault, changes: noChanges, events: noEvents };
    if (command.op === 'compact') return this.#compact(command);
    if (command.op === 'read-lease') return this.#setReadLease(command);
    if (command.op === 'session-open') return this.#openSession(origin);
    if (command.op === 'alarm') return this.#alarm(command, origin);
    const draft = this.#draft(view);
    const isPut = command.op === 'put';
    const result = isPut
      ? this.#put(command, view, draft)
      : complete(this.#steps(command, view, draft, origin));
    return this.#commit(draft, result);
  }

  #openSession(place: LogPlace | undefined): Execution {
    assert(place !== undefined, 'sessions are opened by entries of a log');
    this.#sessions.open(place.index);
    const result: SessionOpenResult = {
      op: 'session-open',
      revision: this.revision,
      session: place.index,
    };
    return { result, changes: noChanges, events: noEvents };
  }

  #alarm(command: AlarmCommand, place: LogPlace | undefined): Execution {
    assert(place !== undefined, 'alarms are raised by entries of a log');
    const change = this.alarms.take(command, place.index, this.#sums);
    const isChanged = change !== undefined;
    const result: AlarmResult = { op: 'alarm', revision: this.revision, isChanged };
    return { result, changes: isChanged ? [change] : noChanges, events: noEvents };
  }

  #compact({ revision: to }: CompactCommand): Execution {
    const fault = compactionFault(this.#meta, to);
    if (fault !== undefined) return { result: fault, changes: noChanges, events: noEvents };
    const { revision, semanticsLevel, readLease } = this.#meta;
    this.#meta = { revision, compactRevision: to, semanticsLevel, readLease };
    const result: CompactResult = { op: 'compact', revision, compactRevision: to };
    return { result, changes: [this.#metaChange()], events: noEvents };
  }

  #setReadLease({ leaseMs }: ReadLeaseCommand): Execution {
    const { revision, readLease: before } = this.#meta;
    // One length for good: a member that still goes by another would pledge too little for it.
    const everMs = before.everMs > 0 ? before.everMs : leaseMs;
    const readLease = { leaseMs: leaseMs === 0 ? 0 : everMs, everMs };
    this.#meta = { ...this.#meta, readLease };
    const result: ReadLeaseResult = { op: 'read-lease', revision, readLease };
    return { result, changes: [this.#metaChange()], events: noEvents };
  }

  #metaChange(): Change {
    return [metaKey, encodeMeta(this.#meta, this.#sums)];
  }

  #draft(view: ReadView): RevisionDraft {
    return new RevisionDraft(view, this.#meta.revision + 1, this.#draftSums);
  }

  #commit(draft: RevisionDraft, result: CommandResult | KontikiError): Execution {
    if (!draft.isChanged) return { result, changes: noChanges, events: noEvents };
    const { compactRevision, semanticsLevel, readLease } = this.#meta;
    this.#meta = { revision: draft.revision, compactRevision, semanticsLevel, readLease };
    this.#sums.takeOver(this.#draftSums);
    const { changes, moves, events } = draft;
    for (const move of moves) changes.push(move);
    return { result, changes, events };
  }

  #put(put: PutOperation, view: ReadView, draft: RevisionDraft): PutResult | KontikiError {
    const refusal = operationRefusal(put, view, this);
    return refusal ?? runPut(put, draft);
  }

  *#checked(
    command: RangedCommand,
    view: FetchedView,
    draft: RevisionDraft,
    place: LogPlace | undefined,
  ): Steps<CommandResult | KontikiError> {
    return commandFault(command) ?? (yield* this.#steps(command, view, draft, place));
  }

  /** Everything that may refuse a command comes before its first change. */
  *#steps(
    command: RangedCommand | LeaseCommand,
    view: FetchedView,
    draft: RevisionDraft,
    place: LogPlace | undefined,
  ): Steps<CommandResult | KontikiError> {
    switch (command.op) {
      case 'delete':
        return yield* runDelete(command, view, draft);
      case 'txn': {
        const run = new TxnRun(yield* chooseBranches(command, view), view);
        const refusal = run.refusal(this);
        if (refusal !== undefined) return refusal;
        return yield* run.execute(draft, this);
      }
      case 'lease-grant':
      case 'lease-revoke':
      case 'lease-checkpoint': {
        const sums = this.#draftSums;
        const run = { leases: this.#leases, view, draft, sums, place };
        return yield* runLease(command, run);
      }
      default:
        return unreachable(command);
    }
  }
}
