/**
 * The replicated key-value store: a node whose state machine is the keyspace (steps 1 and 12 of the
 * walk of a put).
 */
import { EventEmitter } from 'eventemitter3';
import type { Backup } from '../backup/backup.js';
import { asyncDispose } from '../base/async-dispose.js';
import { Closing } from '../base/closing.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { decodeStoreQuestion } from '../codec/store-question-codec.js';
import { checkCommand } from '../mvcc/command-check.js';
import { selectKey } from '../mvcc/selection.js';
import { isReadOnly } from '../mvcc/txn-query.js';
import type {
  Command,
  CompactResult,
  DeleteResult,
  PutResult,
  TxnCommand,
  TxnResult,
} from '../mvcc/types.js';
import type { Leadership, Node } from '../node/index.js';
import { relayEvents } from '../node/member-events.js';
import { type StoreAlarm, StoreAlarms } from './alarms.js';
import {
  callOptionNames,
  checkBoolean,
  checkCallOptions,
  checkOptions,
  checkPositive,
  checkRequired,
  keyRangeNames,
  toKey,
  toSelection,
} from './arguments.js';
import { CompactionLoop } from './compaction-loop.js';
import { encodeRequest } from './encode-request.js';
import type { StoreEvents } from './events.js';
import { HashExchange } from './hash-exchange.js';
import { HistoryKeeper } from './history-keeper.js';
import { KeyValue } from './key-value.js';
import type {
  Bytes,
  CallOptions,
  CompactResponse,
  DeleteOptions,
  DeleteResponse,
  GetOptions,
  GetResponse,
  KvClient,
  PutOptions,
  PutResponse,
  RangeOptions,
  RangeResponse,
  ScanOptions,
  WatchOptions,
  WatchTarget,
} from './kv-client.js';
import type { Lease } from './lease.js';
import { type FindLeaseOptions, type LeaseInfo, type LeaseOptions, Leases } from './leases.js';
import { type MemberName, StoreMembers } from './members.js';
import { type StoreMetrics, storeMetrics } from './metrics.js';
import { putKeepNames, toDelete, toPut } from './operations.js';
import { rangeQueryNames, toRange } from './range-request.js';
import { Scan } from './scan.js';
import type { StateHashAt } from './state-hashes.js';
import type { StoreStateMachine } from './state-machine.js';
import { type StoreStatus, statusOf } from './status.js';
import { type BackupOptions, backupOf } from './store-backup.js';
import type { StoreParts } from './store-parts.js';
import { StoreReads } from './store-reads.js';
import { StoreWatches } from './store-watches.js';
import { respondDelete, respondPut, respondRange, Txn } from './txn.js';
import type { Watch } from './watch.js';

const noAnswer = new Uint8Array(0);
const localReadNames = ['serializable', 'minRevision'] as const;
const getOptionNames = [...callOptionNames, 'revision', ...localReadNames];
const putOptionNames = [...callOptionNames, ...putKeepNames];
const deleteOptionNames = [...callOptionNames, 'previous'];
const rangeOptionNames = [...callOptionNames, ...rangeQueryNames, ...localReadNames];
const scanOptionNames = [...getOptionNames, ...keyRangeNames, 'keysOnly', 'pageSize'];

/**
 * One member's view of the replicated keyspace. Reads and writes work on every member; see
 * {@link KvClient}.
 *
 * @since 0.1.0
 */
export class Store implements KvClient {
  readonly #parts: StoreParts;
  readonly #node: Node;
  readonly #machine: StoreStateMachine;
  readonly #timeoutMs: number;
  readonly #reads: StoreReads;
  readonly #events = new EventEmitter<StoreEvents>();
  readonly #watches: StoreWatches;
  readonly #compaction: CompactionLoop;
  readonly #history: HistoryKeeper;
  readonly #alarms: StoreAlarms;
  readonly #hashes: HashExchange;
  readonly #leases: Leases;
  /** Who the members are, and how they come and go. */
  readonly members: StoreMembers;
  /** Why the member stopped by itself, if it did. */
  #failure: KontikiError | undefined;
  readonly #closing = new Closing();

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.#node = parts.node;
    this.#machine = parts.machine;
    this.#timeoutMs = parts.timeoutMs ?? 7_000;
    this.#reads = new StoreReads({
      ...{ ...parts, timeoutMs: this.#timeoutMs },
      refusal: () => this.#failure ?? this.#alarms.refusal(),
    });
    this.#alarms = new StoreAlarms({
      ...{ memberId: this.#node.identity.memberId, memberNames: parts.memberNames },
      keyspace: () => this.#machine.keyspace,
      barrier: (options) => this.#reads.barrier(options),
      propose: (command, options) => this.#propose(command, options),
    });
    const { hub } = parts.machine;
    const check = () => this.#checkServing();
    this.#watches = new StoreWatches({ hub, timers: parts.timers, reads: this.#reads, check });
    this.#leases = this.#makeLeases();
    this.members = new StoreMembers({
      ...{ node: this.#node, timeoutMs: this.#timeoutMs },
      check: () => this.#reads.checkOpen('rejected'),
      catchUp: (options) => this.#reads.barrier(options),
    });
    this.#hashes = new HashExchange(parts);
    this.#node.answerWith((question) => this.#answer(question));
    parts.machine.refuseSnapshots(() => this.#alarms.snapshotRefusal());
    parts.machine.whenAlarm((endedIndex) => this.#alarmed(endedIndex));
    parts.machine.whenLease((result) => this.#leases.applied(result));
    this.#compaction = new CompactionLoop(parts.clock, parts.timers, parts.machine);
    this.#history = new HistoryKeeper({
      ...{ ...parts, keep: parts.history ?? 'all' },
      keyspace: () => this.#machine.keyspace,
    });
    this.#relayEvents();
    this.#roleChanged();
    parts.machine.whenCompacted((compactRevision) => {
      this.#compaction.wake();
      if (compactRevision !== undefined) this.#compacted(compactRevision);
    });
    // What the last process left unfinished.
    this.#compaction.wake();
  }

  /**
   * @param value - `string` (stored as UTF-8) or bytes, which may be reused afterwards
   * @returns the revision of this put, and with `previous: true` the version it replaced
   * @throws {KontikiError} see {@link KvClient}
   */
  async put(key: Bytes, value: Bytes, options: PutOptions = {}): Promise<PutResponse> {
    checkOptions(options, putOptionNames, 'put');
    const command: Command = toPut(key, value, options);
    return respondPut(this.#sound<PutResult>(await this.#write(command, options)));
  }

  async get(key: Bytes, options: GetOptions = {}): Promise<KeyValue | undefined> {
    return (await this.getWithRevision(key, options)).kv;
  }

  async getWithRevision(key: Bytes, options: GetOptions = {}): Promise<GetResponse> {
    checkOptions(options, getOptionNames, 'get');
    const keys = selectKey(toKey(key));
    const { revision: at } = options;
    const { kvs, revision } = await this.#reads.range({ op: 'range', keys, revision: at }, options);
    const [version] = kvs;
    return { kv: version && KeyValue.of(version), revision };
  }

  async range(options: RangeOptions): Promise<RangeResponse> {
    checkOptions(options, rangeOptionNames, 'range');
    return respondRange(await this.#reads.range(toRange(options), options));
  }

  scan(options: ScanOptions): Scan {
    checkOptions(options, scanOptionNames, 'scan');
    checkCallOptions(options);
    const { revision, keysOnly = false, pageSize } = options;
    checkPositive(revision, 'revision');
    checkPositive(pageSize, 'pageSize', limits.scanPairsMax);
    checkBoolean(keysOnly, 'keysOnly');
    const request = { keys: toSelection(options), revision, keysOnly, pageSize };
    return new Scan((operation) => this.#reads.range(operation, options), request);
  }

  async delete(target: WatchTarget, options: DeleteOptions = {}): Promise<DeleteResponse> {
    checkOptions(options, deleteOptionNames, 'delete');
    const command: Command = toDelete(target, options);
    return respondDelete(this.#sound<DeleteResult>(await this.#write(command, options)));
  }

  async compact(revision: number, options: CallOptions = {}): Promise<CompactResponse> {
    checkOptions(options, callOptionNames, 'compact');
    checkRequired(revision, 'revision');
    checkPositive(revision, 'revision');
    const result = await this.#write({ op: 'compact', revision }, options);
    const { revision: newest, compactRevision } = this.#sound<CompactResult>(result);
    return { revision: newest, compactRevision };
  }

  /**
   * Switches lease reads on or off, for the whole group and for good: a leader that a quorum answered
   * lately then serves linearizable reads without asking again. It takes effect on each member once
   * it has the setting durably. In return a member that restarts helps nobody to be elected for about
   * an election timeout, and a leader whose process died is replaced no sooner than that. The length
   * is taken from the timings of the member that switches it on first, and stays. Not for machines
   * that may be suspended while they run: their clock stands still, and a lease outlives its time.
   *
   * @param on - whether reads may rest on a lease; by default they do not
   * @param options - `timeoutMs`, `signal`
   * @throws {KontikiError} ARGUMENT_INVALID; OPTIONS_INVALID, when this member's timings leave no room
   *   for a lease; and as `put`
   */
  async setLeaseReads(on: boolean, options: CallOptions = {}): Promise<void> {
    checkOptions(options, callOptionNames, 'setLeaseReads');
    checkRequired(on, 'on');
    checkBoolean(on, 'on');
    const leaseMs = on ? this.#node.leaseMsMax : 0;
    if (on && leaseMs === 0) {
      const what = 'electionTicks above 2 for lease reads, so that there is room for a lease';
      throw kontikiError('OPTIONS_INVALID', `store: expected ${what}`, { outcome: 'rejected' });
    }
    await this.#write({ op: 'read-lease', leaseMs }, options);
  }

  txn(): Txn {
    return new Txn(async (command: TxnCommand, options) => {
      checkOptions(options, callOptionNames, 'commit');
      if (isReadOnly(command)) return this.#reads.txn(command, options);
      return this.#sound<TxnResult>(await this.#write(command, options));
    });
  }

  watch(target: WatchTarget, options: WatchOptions = {}): Watch {
    return this.#watches.open(target, options);
  }

  /**
   * Grants a lease: keys put with its id are deleted, all in one revision, once nobody kept it alive
   * for its TTL. Works on every member. What of other members' clocks counts is their rate alone.
   *
   * @param ttlSeconds - an integer from 1 to 9,000,000,000; raised to one and a half election timeouts
   * @param options - `id`, `keepAlive: true` to renew it from here on, `timeoutMs`, `signal`
   * @throws {KontikiError} ARGUMENT_INVALID, LEASE_EXISTS, and as `put`
   */
  async lease(ttlSeconds: number, options: LeaseOptions = {}): Promise<Lease> {
    return this.#leases.grant(ttlSeconds, options);
  }

  /**
   * A lease that is there, whoever granted it: to be renewed, revoked or asked about, linearizably. Its
   * `lost` counts from what the leader says it has left.
   *
   * @param id - of the lease
   * @param options - `keepAlive: true` to renew it from here on, `timeoutMs`, `signal`
   * @returns `undefined` when there is none of the id
   * @throws {KontikiError} ARGUMENT_INVALID, and as `get`
   */
  async findLease(id: bigint, options: FindLeaseOptions = {}): Promise<Lease | undefined> {
    return this.#leases.find(id, options);
  }

  /**
   * All leases there are, by id, linearizably.
   *
   * @throws {KontikiError} as `get`
   */
  async leases(options: CallOptions = {}): Promise<readonly LeaseInfo[]> {
    return this.#leases.list(options);
  }

  /**
   * A backup of the whole store at one revision, while writes go on: what `restoreStore` makes a new
   * cluster of. It is made as it is iterated; see {@link Backup}. Rejects, at any chunk, as `get` does,
   * and with OVERTAKEN when this member gets a snapshot of its leader meanwhile: take another one then.
   *
   * @param options - `serializable: true` for what is here, without a leader; `timeoutMs`, until the
   *   first chunk; `signal`, until the last
   * @throws {KontikiError} ARGUMENT_INVALID
   */
  backup(options: BackupOptions = {}): Backup {
    const { checksums, clock, timers } = this.#parts;
    // While nobody can say who is right as well: whoever decides goes on with it.
    const catchUp = async (given: CallOptions, isLocal: boolean) => {
      this.#reads.checkOpen();
      if (!isLocal) await this.#reads.barrier(given);
    };
    const refusal = () => this.#alarms.snapshotRefusal();
    const given = { clock, timers, checksums, catchUp, refusal };
    return backupOf({ ...given, node: this.#node, machine: this.#machine }, options);
  }

  /**
   * Lets another member lead. Writes meanwhile wait or are refused, for an election timeout at most.
   *
   * @param member - name or id of a voter
   * @param options - `timeoutMs`, `signal`
   * @throws {KontikiError} MEMBER_UNKNOWN; LEARNER_NOT_READY, for a learner; TIMEOUT, when it did not
   *   take over, or no leader was found; ABORTED, CLOSED
   */
  transferLeadership(member: MemberName, options: CallOptions = {}): Promise<void> {
    return this.members.transferLeadership(member, options);
  }

  /** Facts about this member, without asking anyone. */
  status(): StoreStatus {
    return statusOf(this.#parts, this.#machine, this.#node.status, this.#alarms.present);
  }

  /** What was counted since the store was opened, and gauges as of now: docs/api/metrics.md. */
  metrics(): StoreMetrics {
    return storeMetrics(this.#node.metrics(), this.#machine);
  }

  /**
   * The leaderships of this member, one after the other: each once it has applied an entry of its own
   * term, each with a signal of its end. The term is the fencing token. See {@link Leadership}.
   */
  leadership(): AsyncIterableIterator<Leadership> & AsyncDisposable {
    return this.#node.leadership();
  }

  /**
   * State hashes of this member at applied indexes divisible by 1,024, the newest 256 since it was
   * opened or took a snapshot, ascending. At an index that two members list, theirs are equal, or one
   * of them is broken.
   */
  stateHashes(): readonly StateHashAt[] {
    return [...this.#machine.stateHashes];
  }

  /**
   * What the group knows to be wrong, linearizably, on every member that a leader can reach. A member with
   * an alarm answers nothing else, until it is replaced or the alarm is ended: docs/api/care.md.
   *
   * @param options - `timeoutMs`, `signal`
   * @throws {KontikiError} ARGUMENT_INVALID, and what stands in the way of a read
   */
  alarms(options: CallOptions = {}): Promise<readonly StoreAlarm[]> {
    return this.#alarms.list(options);
  }

  /**
   * Ends an alarm, on every member. It comes again if the states differ in what is written from now on.
   *
   * @param alarm - of {@link alarms}
   * @param options - `timeoutMs`, `signal`
   * @throws {KontikiError} ARGUMENT_INVALID, and as `put`
   */
  disarm(alarm: Pick<StoreAlarm, 'memberId'>, options: CallOptions = {}): Promise<void> {
    return this.#alarms.end(alarm, options);
  }

  /** Listens to facts; see {@link StoreEvents}. */
  on<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): this {
    this.#events.on(event, listener as never);
    return this;
  }

  /** Stops listening. */
  off<E extends keyof StoreEvents>(event: E, listener: (...args: StoreEvents[E]) => void): this {
    this.#events.off(event, listener as never);
    return this;
  }

  /** Settles every call, ends every watch with `CLOSED`, and leaves the disk in order. Idempotent. */
  async close(): Promise<void> {
    await this.#closing.begin(() => this.#close());
  }

  async #close(): Promise<void> {
    this.#compaction.close();
    this.#end(this.#failure ?? kontikiError('CLOSED', 'store: closed'));
    // Whatever becomes of the node: what is not let go of, nobody can open again.
    await this.#node.close().finally(this.#parts.onClosed);
  }

  /** Nothing is begun any more, and whoever waits is told why: the former first, for who is told may call. */
  #end(error: KontikiError): void {
    this.#reads.close(error);
    this.#history.close();
    this.#hashes.close();
    this.#watches.end(error);
    this.#leases.close(error);
  }

  [asyncDispose](): Promise<void> {
    return this.close();
  }

  #write(command: Command, options: CallOptions): Promise<unknown> {
    const refusal = this.#alarms.refusal();
    if (refusal !== undefined) throw refusal;
    return this.#propose(command, options).catch((error: unknown) => {
      throw this.#alarms.doubtOf(error) ?? error;
    });
  }

  /** Of a write: an answer that was found by a state that is known to be wrong is none. */
  #sound<R>(result: unknown): R {
    const doubt = this.#alarms.refusal('unknown');
    if (doubt !== undefined) throw doubt;
    return result as R;
  }

  #propose(command: Command, options: CallOptions): Promise<unknown> {
    checkCallOptions(options);
    checkCommand(command);
    this.#reads.checkOpen('rejected');
    const { timeoutMs = this.#timeoutMs, signal } = options;
    return this.#node.propose((id) => encodeRequest(id, command), { timeoutMs, signal });
  }

  #makeLeases(): Leases {
    const { clock, timers, random, leaseCheckpointMs = 300_000, keepsLeases } = this.#parts;
    return new Leases({
      ...{ clock, timers, random, node: this.#node, timeoutMs: this.#timeoutMs, keepsLeases },
      checkpointIntervalMs: leaseCheckpointMs,
      keyspace: () => this.#machine.keyspace,
      checkServing: () => this.#checkServing(),
      write: async (command, options) => this.#sound(await this.#write(command, options)),
      catchUp: (time) => this.#reads.catchUp(time, false),
      run: (start, time) => this.#reads.run(start, time),
    });
  }

  /** A member that stopped applies nothing any more: a watch would be silent for ever. */
  #checkServing(): void {
    const refusal = this.#failure ?? this.#alarms.refusal();
    if (refusal !== undefined) throw refusal;
    this.#reads.checkOpen();
  }

  /** What only a leader does begins or ends. */
  #roleChanged(): void {
    this.#leases.check();
    this.#history.check();
    this.#hashes.check();
  }

  /** What members ask whoever leads. */
  async #answer(bytes: Uint8Array): Promise<Uint8Array> {
    const question = decodeStoreQuestion(bytes);
    if (question.kind !== 'state-hashes') return this.#leases.answer(question);
    this.#hashes.take(question);
    return noAnswer;
  }

  /** Nobody is answered any more by a state that may be wrong. */
  #alarmed(endedIndex: number | undefined): void {
    const { timers } = this.#parts;
    if (endedIndex !== undefined) this.#hashes.ended(endedIndex);
    const [alarms, refusal] = [this.#alarms.present, this.#alarms.refusal()];
    timers.soon(() => this.#events.emit('alarms', { alarms }));
    if (refusal === undefined) return;
    this.#watches.end(refusal);
    this.#leases.lose(refusal);
    timers.soon(() => this.#hashes.check());
  }

  /** Told later: a listener that throws is its owner's bug, and must not stop what applies. */
  #compacted(compactRevision: number): void {
    this.#parts.timers.soon(() => this.#events.emit('compacted', { compactRevision }));
  }

  #relayEvents(): void {
    this.#node.on('leader', () => this.#roleChanged());
    this.#node.on('role', () => this.#roleChanged());
    this.#node.on('failed', ({ error }) => {
      this.#failure = error;
      this.#end(error);
    });
    relayEvents(this.#node, this.#parts.memberNames, (event, fact) => {
      this.#events.emit(event, ...([fact] as never));
    });
  }
}
