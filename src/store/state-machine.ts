/**
 * The keyspace as a replicated state machine (steps 9 to 11 of the walk of a put): decode, fetch
 * what the batch must read, execute, hand the changes to the backend, tell the watchers.
 */
import { assert } from '../base/assert.js';
import { isKontikiError, kontikiError } from '../base/errors.js';
import { isPromise } from '../base/is-promise.js';
import { decodeCommand, encodeCommand } from '../codec/command-codec.js';
import type { CommandEnvelope } from '../codec/command-envelope.js';
import type { Backend, Change, ReadPlan, StagedChanges } from '../mvcc/backend.js';
import { type BatchSegment, segmentsOf } from '../mvcc/batch.js';
import { Keyspace } from '../mvcc/keyspace.js';
import type { CommandOrigin, LeaseResult } from '../mvcc/lease-types.js';
import { applySlice, type RangeSlice } from '../mvcc/range-slices.js';
import type { RevisionSlice } from '../mvcc/revision-draft.js';
import type { SessionOpenResult } from '../mvcc/session-types.js';
import type { StateHome } from '../mvcc/state-home.js';
import type { Command, CommandResult, KeyEvent, ReadLease } from '../mvcc/types.js';
import { VersionCache } from '../mvcc/version-cache.js';
import { WatchHub } from '../mvcc/watch-hub.js';
import type { WatchMatches } from '../mvcc/watch-matches.js';
import type {
  ApplyResult,
  Entry,
  RequestId,
  SessionProtocol,
  StateMachine,
  StateSnapshot,
} from '../node/index.js';
import { ReadTurns } from './read-turns.js';
import { type StateHashAt, StateHashes, untilStateHash } from './state-hashes.js';
import { loadState, StateStream } from './state-stream.js';

/** A command of a batch and where it came from. */
interface Received extends CommandOrigin {
  /** Position of its entry in the batch. */
  readonly at: number;
  readonly request: CommandEnvelope;
}

/** An entry too large for one turn, before it shows. */
interface LargeEntry {
  readonly staged: StagedChanges;
  readonly matches: WatchMatches;
}

/** A segment that has read everything. */
interface ReadSegment {
  readonly part: readonly Received[];
  /** Last entry that is in when it is applied. */
  readonly upToIndex: number;
  /** What of it is put aside already. */
  readonly large: LargeEntry | undefined;
}

/** Operations executed before the turn ends. */
const turnWork = 1_024;
const noReadLease: ReadLease = { leaseMs: 0, everMs: 0 };

/** @since 0.1.0 */
export class StoreStateMachine implements StateMachine {
  #backend: Backend;
  readonly #home: StateHome | undefined;
  readonly #slice: RangeSlice;
  readonly #cacheBytes: number | undefined;
  readonly #watcherEventsMax: number | undefined;
  #cache: VersionCache | undefined;
  #hub: WatchHub | undefined;
  #keyspace: Keyspace | undefined;
  #appliedIndex = 0;
  readonly #turns = new ReadTurns();
  #hashes = new StateHashes();
  /** The setting of lease reads: what is durable, then what was set since, in order. */
  #leases: { readonly index: number; readonly readLease: ReadLease }[] = [];
  /** Called when a compaction left something to remove. */
  #onCompacted: ((compactRevision?: number) => void) | undefined;
  #onLease: ((result: LeaseResult) => void) | undefined;
  #onAlarm: ((endedIndex?: number) => void) | undefined;
  #snapshotRefusal: (() => Error | undefined) | undefined;
  #onRevision: ((revision: number) => void) | undefined;
  #compactions = 0;
  #isRemoving = false;
  /** Of a removal in the background: the next apply rejects with it, and the member stops. */
  #failure: unknown;
  #isClosing = false;
  #isInterrupted = false;

  /**
   * @param backend - opened; closed with the state machine
   * @param home - where the backend lives; needed for `restore` only
   * @param slice - what a large command reads and changes in one turn
   * @param cacheBytes - of versions kept for reads; default `limits.versionCacheBytes`
   * @param watcherEventsMax - that a watcher holds; default `limits.watcherEventsMax`
   */
  constructor(
    backend: Backend,
    home?: StateHome,
    slice: RangeSlice = applySlice,
    cacheBytes?: number,
    watcherEventsMax?: number,
  ) {
    this.#backend = backend;
    this.#home = home;
    this.#slice = slice;
    this.#cacheBytes = cacheBytes;
    this.#watcherEventsMax = watcherEventsMax;
  }

  /** Another one after each `restore`, which raises `hub.epoch`: so does {@link keyspace}. */
  get backend(): Backend {
    return this.#backend;
  }

  /** Usable once `open` resolved. */
  get keyspace(): Keyspace {
    assert(this.#keyspace !== undefined, 'state machine: open before use');
    return this.#keyspace;
  }

  /** Before the keyspace, for reads of ranges; another one after each `restore`, too. */
  get cache(): VersionCache {
    assert(this.#cache !== undefined, 'state machine: open before use');
    return this.#cache;
  }

  /** Usable once `open` resolved. */
  get hub(): WatchHub {
    assert(this.#hub !== undefined, 'state machine: open before use');
    return this.#hub;
  }

  /** Last entry that was applied. */
  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  /**
   * The state hash at applied indexes divisible by 1,024, ascending: the newest that were reached since
   * this state was opened or installed. Members that hold the same have the same at every index that
   * both list.
   */
  get stateHashes(): readonly StateHashAt[] {
    return this.#hashes.recorded;
  }

  /** Compactions applied since it was opened. */
  get compactions(): number {
    return this.#compactions;
  }

  get durableIndex(): number {
    return this.backend.durableIndex;
  }

  /** A setting counts for its member only once a crash cannot take it back (DESIGN §4.18). */
  get durableReadLease(): ReadLease {
    const leases = this.#leases;
    while (leases.length > 1 && (leases[1]?.index ?? Infinity) <= this.durableIndex) leases.shift();
    return leases[0]?.readLease ?? noReadLease;
  }

  /** Every write of a store is applied at most once. */
  readonly sessions: SessionProtocol = {
    open: (id) => encodeCommand({ ...id, command: { op: 'session-open' } }),
    idOf: (result) => (result as SessionOpenResult).session,
  };

  async open(): Promise<{ readonly appliedIndex: number }> {
    this.#keyspace = Keyspace.open(await this.backend.read(Keyspace.openPlan()));
    this.#cache = new VersionCache(this.#keyspace, this.#cacheBytes);
    const { compactRevision, revision } = this.#keyspace;
    this.#hub = new WatchHub({ compactRevision, revision, eventsMax: this.#watcherEventsMax });
    this.#appliedIndex = this.backend.openedIndex;
    this.#hashes.reached(this.#appliedIndex, this.#keyspace);
    this.#leases = [{ index: this.#appliedIndex, readLease: this.#keyspace.readLease }];
    return { appliedIndex: this.#appliedIndex };
  }

  async apply(
    entries: readonly Entry[],
    isAwaited?: (id: RequestId) => boolean,
  ): Promise<readonly ApplyResult[]> {
    const results: ApplyResult[] = [];
    for (let from = 0; from < entries.length; ) {
      const to = from + untilStateHash((entries[from] as Entry).index);
      const isWhole = from === 0 && to >= entries.length;
      // Where all that they read is in memory, nothing else would end the turn.
      if (from > 0) await this.backend.pause();
      const part = isWhole ? entries : entries.slice(from, to);
      for (const result of await this.#applyPart(part, isAwaited)) results.push(result);
      this.#hashes.reached(this.#appliedIndex, this.keyspace);
      from = to;
    }
    return results;
  }

  async #applyPart(
    entries: readonly Entry[],
    isAwaited: ((id: RequestId) => boolean) | undefined,
  ): Promise<readonly ApplyResult[]> {
    if (this.#failure !== undefined) throw this.#failure;
    const results: ApplyResult[] = entries.map(() => ({ value: undefined }));
    const received = receive(entries);
    const commands: Command[] = received.map((each) => each.request.command);
    let done = 0;
    let worked = 0;
    for (const segment of segmentsOf(this.keyspace, commands, received, this.#slice)) {
      const room = this.backend.ready();
      if (room !== undefined) await room;
      let large: LargeEntry | undefined;
      let plan: ReadPlan | undefined = segment.plan;
      while (plan !== undefined) {
        // What was put aside of the entry was never shown: a crash here would leave as much.
        if (this.#isInterrupted) throw kontikiError('CLOSED', 'state machine: closing');
        const answer = this.backend.read(plan);
        const reads = isPromise(answer) ? await answer : answer;
        plan = segment.supply(reads);
        if (plan === undefined) break;
        const slice = segment.takeSlice();
        if (slice !== undefined) large = await this.#stage(slice, large);
        // It has nothing to read, and asks for a turn.
        else if (plan.keys.length + plan.ranges.length === 0) await this.backend.pause();
        // A command may read a million keys and change one.
        else await this.#turns.took(reads, this.backend);
      }
      const part = received.slice(done, done + segment.commands.length);
      done += part.length;
      const next = received[done];
      // The entries up to the next command are in: those between carried none.
      const upTo = entries[next === undefined ? entries.length - 1 : next.at - 1] as Entry;
      this.#execute(segment, { part, upToIndex: upTo.index, large }, results);
      if (isAwaited !== undefined) letGo(results, part, isAwaited);
      worked += segment.work;
      // Where all that they read is in memory, nothing else would end the turn.
      if (worked < turnWork || next === undefined) continue;
      worked = 0;
      await this.backend.pause();
    }
    const last = entries[entries.length - 1];
    if (last !== undefined && last.index > this.#appliedIndex) this.#advance([], last.index);
    return results;
  }

  /** Puts a slice of a large entry aside, then lets others run. */
  async #stage(
    { changes, moves, events }: RevisionSlice,
    begun: LargeEntry | undefined,
  ): Promise<LargeEntry> {
    // Two large entries that wait for a flush would be twice the memory; moves are values that it ends.
    await this.backend.ready();
    if (moves.length > 0) this.backend.apply(moves, this.#appliedIndex);
    const large = begun ?? { staged: this.backend.stage(), matches: this.hub.gather() };
    large.matches.add(events);
    await large.staged.add(changes);
    return large;
  }

  /** Synchronous: nobody sees the keyspace and the backend at different revisions. */
  #execute(
    segment: BatchSegment,
    { part, upToIndex, large }: ReadSegment,
    results: ApplyResult[],
  ): void {
    const { executions, changes } = segment.execute();
    this.#advance(changes, upToIndex, large?.staged);
    // All of it before anybody is told, for who is told may read.
    if (large !== undefined) this.cache.clear();
    else for (const { events } of executions) this.cache.notify(events);
    executions.forEach(({ result, events, isRepeated }, i) => {
      const { at, request } = part[i] as Received;
      const { session, seq } = request;
      results[at] = { requestId: { session, seq }, value: result };
      // What it did then was told then, and may be undone by now.
      if (isRepeated === true) return;
      this.#notify(events, large);
      if ('op' in result && isLeaseResult(result)) this.#onLease?.(result);
      if ('op' in result && result.op === 'read-lease') {
        this.#leases.push({ index: upToIndex, readLease: result.readLease });
      }
      if ('op' in result && result.op === 'alarm' && result.isChanged) {
        const { command } = request;
        this.#onAlarm?.(command.op === 'alarm' && !command.isRaised ? upToIndex : undefined);
      }
      if ('op' in result && result.op === 'compact') {
        this.hub.compacted(result.compactRevision);
        this.#compactions += 1;
        this.#onCompacted?.(result.compactRevision);
      }
    });
    this.#onRevision?.(this.keyspace.revision);
  }

  #notify(events: readonly KeyEvent[], large: LargeEntry | undefined): void {
    const [first] = events;
    if (large !== undefined) {
      large.matches.add(events);
      this.hub.notifyGathered(this.keyspace.revision, large.matches);
    } else if (first !== undefined) this.hub.notify(first.revision, events);
  }

  /** Sets who is told of every lease command that had its effect. */
  whenLease(listener: (result: LeaseResult) => void): void {
    this.#onLease = listener;
  }

  /**
   * Sets who is told that the alarms may be others now; with the index of the entry, if one was ended by it.
   */
  whenAlarm(listener: (endedIndex?: number) => void): void {
    this.#onAlarm = listener;
  }

  /** Sets who says why there are to be no snapshots of this state, if so. */
  refuseSnapshots(refusal: () => Error | undefined): void {
    this.#snapshotRefusal = refusal;
  }

  /** Sets who is told of the newest revision, once it can be read. */
  whenRevision(listener: (revision: number) => void): void {
    this.#onRevision = listener;
  }

  /**
   * Sets who is told that {@link removeCompacted} has work: with the revision, when a compaction to it was
   * applied; without, when another state was installed.
   */
  whenCompacted(listener: (compactRevision?: number) => void): void {
    this.#onCompacted = listener;
  }

  /**
   * Removes a part of what compactions gave up. It is no entry's effect, and nothing that can be
   * asked shows it, so it may happen between any two entries, and while one is being applied.
   *
   * @param changesMax - changes to look at, 1 or more
   * @returns bytes that were read; `undefined` when nothing was left to do
   */
  async removeCompacted(changesMax: number): Promise<number | undefined> {
    assert(!this.#isRemoving, 'state machine: one removal at a time');
    this.#isRemoving = true;
    const { backend, keyspace } = this;
    try {
      await backend.ready();
      let query = keyspace.compactionSlice(changesMax);
      while (query !== undefined && !query.done) query = query.next(await backend.read(query.plan));
      if (query === undefined || this.#isClosing || backend !== this.backend) return undefined;
      backend.apply(keyspace.finishSlice(query.result), this.#appliedIndex);
      return query.result.bytes;
    } catch (error) {
      // Another state took the place of the one that was being read.
      if (backend !== this.backend) return undefined;
      if (!this.#isClosing) this.#failure = error;
      throw error;
    } finally {
      this.#isRemoving = false;
    }
  }

  interrupt(): void {
    this.#isInterrupted = true;
    this.backend.interrupt?.();
  }

  get hasSpace(): boolean {
    return this.backend.hasSpace ?? true;
  }

  #advance(changes: readonly Change[], index: number, staged?: StagedChanges): void {
    this.backend.apply(changes, index, staged);
    this.#appliedIndex = index;
  }

  flush(): Promise<void> {
    return this.backend.flush();
  }

  /** @throws {KontikiError} CORRUPT, of a state that is known to be wrong */
  snapshot(): StateSnapshot {
    const refusal = this.#snapshotRefusal?.();
    if (refusal !== undefined) throw refusal;
    return new StateStream(this.backend.capture());
  }

  /**
   * As the seam says. Watchers keep their places: they read from the new history what they missed, or
   * are told that it is compacted.
   *
   * @throws {KontikiError} SNAPSHOT_CORRUPT, FORMAT_UNSUPPORTED, STATE_CORRUPT, NO_SPACE, STORAGE_IO
   */
  async restore(appliedIndex: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const home = this.#home;
    assert(home !== undefined, 'state machine: only one with a home takes another state');
    const next = await loadState(home, appliedIndex, this.#untilInterrupted(chunks));
    let keyspace: Keyspace;
    try {
      keyspace = Keyspace.open(await next.read(Keyspace.openPlan()));
    } catch (error) {
      await next.close().catch(() => undefined);
      throw error;
    }
    const before = this.backend;
    // In one go: nobody sees the keyspace of one state beside the backend of the other.
    this.#backend = next;
    this.#keyspace = keyspace;
    this.#cache = new VersionCache(keyspace, this.#cacheBytes);
    this.#appliedIndex = appliedIndex;
    // What was found, and recorded, is of a state that is gone.
    this.#failure = undefined;
    this.#hashes = new StateHashes();
    this.#hashes.reached(appliedIndex, keyspace);
    this.#leases = [{ index: appliedIndex, readLease: keyspace.readLease }];
    this.hub.reset(keyspace);
    this.#onAlarm?.();
    this.#onCompacted?.();
    this.#onRevision?.(keyspace.revision);
    // What it still had in memory is of a state that nobody will see again.
    await before.close().catch(() => undefined);
    await home.retire();
  }

  /** Who closes waits for no gigabytes: what was loaded is discarded, and the next life loads it again. */
  async *#untilInterrupted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      if (this.#isInterrupted) throw kontikiError('CLOSED', 'state machine: closing');
      yield chunk;
    }
  }

  close(): Promise<void> {
    this.#isClosing = true;
    return this.backend.close();
  }
}

/**
 * The commands among entries. Entries without data open a leader's term. Bytes that are no command
 * (a broken member passed them on) are skipped, by every member alike: stopping instead would let
 * one bad entry take the whole cluster down for good.
 */
function receive(entries: readonly Entry[]): Received[] {
  const received: Received[] = [];
  entries.forEach((entry, at) => {
    if (entry.data.length === 0) return;
    try {
      const { index, term } = entry;
      received.push({ at, index, term, request: decodeCommand(entry.data) });
    } catch (error) {
      // A command of a newer format is another matter: this member cannot know what it does.
      if (!isKontikiError(error, 'FRAME_INVALID')) throw error;
    }
  });
  return received;
}

/** Forgets the answers that nobody here waits for. */
function letGo(
  results: ApplyResult[],
  part: readonly Received[],
  isAwaited: (id: RequestId) => boolean,
): void {
  for (const { at } of part) {
    const { requestId } = results[at] as ApplyResult;
    if (requestId !== undefined && !isAwaited(requestId)) results[at] = { value: undefined };
  }
}

function isLeaseResult(result: CommandResult): result is LeaseResult {
  return result.op.startsWith('lease-');
}
