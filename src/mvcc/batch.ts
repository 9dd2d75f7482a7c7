/**
 * Runs a batch of commands with few fetches: commands that read single keys share one, because
 * each can be shown what the earlier ones changed. A command that reads a range stands alone, and so
 * does one of so many keys that no turn should change them all.
 *
 * ```
 * for (const segment of segmentsOf(keyspace, commands)) {
 *   let plan: ReadPlan | undefined = segment.plan;
 *   while (plan !== undefined) plan = segment.supply(await backend.read(plan));
 *   const { executions, changes } = segment.execute();
 *   backend.apply(changes, index);
 * }
 * ```
 */
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import type { Change, ReadPlan, ReadSet } from './backend.js';
import { planCommand, readsRanges, workOf } from './command-plan.js';
import type { CommandRun } from './command-run.js';
import type { Execution, Keyspace, RangedCommand } from './keyspace.js';
import type { CommandOrigin } from './lease-types.js';
import { applySlice, nextLimit, type RangeSlice } from './range-slices.js';
import { emptyPlan, FetchedView, type ReadPlanDraft } from './read-view.js';
import { isCurrentKey } from './record-keys.js';
import type { RevisionSlice } from './revision-draft.js';
import type { Command } from './types.js';

/** Of the first segment, before anybody knows how large records are: of the largest they are 48 MiB. */
const firstKeys = 32;

/**
 * Consecutive commands that execute on one view.
 *
 * @since 0.1.0
 */
export class BatchSegment {
  /** At least one. */
  readonly commands: readonly Command[];
  /** The first reads; may be empty, and is to be answered all the same. */
  readonly plan: ReadPlan;
  readonly #keyspace: Keyspace;
  /** Of each command. */
  readonly #origins: readonly CommandOrigin[] | undefined;
  /** Of a command that stands alone. */
  readonly #slice: RangeSlice | undefined;
  readonly #view: FetchedView;
  #pending: ReadPlan | undefined;
  #readBytes = 0;
  /** Of a command that stands alone, once its first reads are there. */
  #run: CommandRun | undefined;

  /**
   * Made by {@link segmentsOf}.
   *
   * @param slice - for a command that stands alone: it may read more than was planned
   */
  constructor(
    keyspace: Keyspace,
    commands: readonly Command[],
    plan: ReadPlan,
    origins: readonly CommandOrigin[] | undefined,
    slice?: RangeSlice,
  ) {
    this.#keyspace = keyspace;
    this.#origins = origins;
    this.#slice = slice;
    this.#view = new FetchedView(slice);
    this.commands = commands;
    this.plan = plan;
    this.#pending = plan;
  }

  /** Operations of its commands. */
  get work(): number {
    let work = 0;
    for (const command of this.commands) work += workOf(command);
    return work;
  }

  /** Of the single records that were read for it. */
  get readBytes(): number {
    return this.#readBytes;
  }

  /**
   * Takes the answer to the plan handed out last. Returns what must be read next, or `undefined`
   * when the segment can execute. Nothing may be applied between a segment's reads.
   */
  supply(reads: ReadSet): ReadPlan | undefined {
    assert(this.#pending !== undefined, 'a segment is supplied what it asked for');
    if (this.#run !== undefined) {
      this.#run.supply(reads);
    } else {
      this.#view.add(this.plan, reads);
      for (const record of reads.records) this.#readBytes += record?.length ?? 0;
      if (this.#slice !== undefined) {
        const command = this.commands[0] as RangedCommand;
        this.#run = this.#keyspace._begin(command, this.#view, this.#origins?.[0]);
      }
    }
    this.#pending = this.#run?.plan;
    return this.#pending;
  }

  /**
   * What came of the command so far, while {@link supply} asks for more: changes to be hidden until
   * those of {@link execute} are applied, and events that none of its executions repeats. Who never
   * calls it gets everything there. `undefined` where it is less than a slice: a small command that reads
   * much is not put aside for that.
   */
  takeSlice(): RevisionSlice | undefined {
    const draft = this.#run?.draft;
    if (draft === undefined || this.#slice === undefined) return undefined;
    return draft.isOver(this.#slice) ? draft.take() : undefined;
  }

  /**
   * Executes the commands in order, and makes what they did the present state.
   *
   * @returns one execution per command, and the changes of all, in order, to be applied together
   * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED
   */
  execute(): { readonly executions: readonly Execution[]; readonly changes: readonly Change[] } {
    assert(this.#pending === undefined, 'a segment executes once everything is read');
    if (this.#run !== undefined) return this.#finish(this.#run);
    const executions: Execution[] = [];
    const changes: Change[] = [];
    for (let at = 0; at < this.commands.length; at += 1) {
      const command = this.commands[at] as Command;
      const execution = this.#keyspace._execute(command, this.#view, this.#origins?.[at]);
      executions.push(execution);
      for (const change of execution.changes) {
        changes.push(change);
        if (isCurrentKey(change[0])) this.#view.change(change);
      }
    }
    this.#keyspace._endBatch(changes);
    return { executions, changes };
  }

  #finish(run: CommandRun): {
    readonly executions: readonly Execution[];
    readonly changes: readonly Change[];
  } {
    const execution = this.#keyspace._finish(run, this.#origins?.[0]);
    const changes = [...execution.changes];
    this.#keyspace._endBatch(changes, run.draft.isChanged);
    return { executions: [execution], changes };
  }
}

/**
 * Cuts commands into segments, each made when it is asked for. The order is that of `commands`, and
 * each segment is to be executed and applied before the next one is read. Their size follows what the
 * records of the segment before weighed: a thousand small commands may each end a version of a MiB.
 *
 * @param keyspace - executes them
 * @param commands - in log order
 * @param origins - where in the log each stands, which commands about leases need, and whose it is
 * @param slice - what a command reads and changes at a time, which makes no difference to its effect
 * @since 0.1.0
 */
export function* segmentsOf(
  keyspace: Keyspace,
  commands: readonly Command[],
  origins?: readonly CommandOrigin[],
  slice: RangeSlice = applySlice,
): Generator<BatchSegment, void> {
  let plan: ReadPlanDraft = emptyPlan();
  let from = 0;
  let limit = Math.min(firstKeys, slice.limit);
  const together = (to: number, keys: readonly BinaryString[]): BatchSegment => {
    const reads: ReadPlan = { keys, ranges: [] };
    return new BatchSegment(keyspace, commands.slice(from, to), reads, origins?.slice(from, to));
  };
  let work = 0;
  for (let at = 0; at < commands.length; at += 1) {
    const command = commands[at] as Command;
    // Thousands of operations may name one key, or none.
    if (plan.keys.length >= limit || work >= slice.limit) {
      const segment = together(at, plan.keys);
      yield segment;
      limit = nextLimit(limit, segment.readBytes, slice);
      plan = emptyPlan();
      from = at;
      work = 0;
    }
    const keysBefore = plan.keys.length;
    planCommand(command, plan, slice);
    const own = workOf(command);
    work += own;
    const isLarge = command.op === 'txn' && own > slice.limit;
    if (!isLarge && !readsRanges(command)) continue;
    const alone: ReadPlan = { keys: plan.keys.splice(keysBefore), ranges: plan.ranges };
    if (at > from) yield together(at, plan.keys);
    const origin = origins?.slice(at, at + 1);
    // One that is not executed again reads nothing; what may have answered it stands before it.
    const isAnswered = keyspace._answered(origins?.[at]) !== undefined;
    yield isAnswered
      ? new BatchSegment(keyspace, [command], emptyPlan(), origin)
      : new BatchSegment(keyspace, [command], alone, origin, slice);
    plan = emptyPlan();
    from = at + 1;
    work = 0;
  }
  if (from < commands.length) yield together(commands.length, plan.keys);
}
