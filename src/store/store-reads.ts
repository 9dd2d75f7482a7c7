/**
 * Reads of one store: what must be here first, then the look at overlay and engine at one moment, again
 * if another state took their place meanwhile.
 */
import type { Clock, Timers } from '../base/clock.js';
import { type KontikiError, withOutcome } from '../base/errors.js';
import { isPromise } from '../base/is-promise.js';
import { checkCommand } from '../mvcc/command-check.js';
import type { Keyspace } from '../mvcc/keyspace.js';
import type { Query } from '../mvcc/query.js';
import type { RangeOperation, RangeResult, TxnCommand, TxnResult } from '../mvcc/types.js';
import type { Node, Tracing } from '../node/index.js';
import { traced } from '../node/tracing.js';
import { checkCallOptions, checkLocalRead, checkPositive } from './arguments.js';
import { CallTime } from './call-time.js';
import type { CallOptions, GetOptions } from './kv-client.js';
import { ReadBarrier } from './read-barrier.js';
import { ReadTurns } from './read-turns.js';
import { RevisionWaits } from './revision-waits.js';
import type { StoreStateMachine } from './state-machine.js';

/** @since 0.1.0 */
export interface StoreReadsParts {
  readonly node: Pick<Node, 'readIndex' | 'identity'>;
  readonly machine: StoreStateMachine;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Milliseconds before a call gives up. */
  readonly timeoutMs: number;
  readonly tracing?: Tracing | undefined;
  /** Why this member answers nobody, if it does not. */
  readonly refusal: () => KontikiError | undefined;
}

/** @since 0.1.0 */
export class StoreReads {
  readonly #parts: StoreReadsParts;
  readonly #barrier: ReadBarrier;
  readonly #revisions: RevisionWaits;
  readonly #turns = new ReadTurns();
  #closed: KontikiError | undefined;

  constructor(parts: StoreReadsParts) {
    this.#parts = parts;
    this.#barrier = new ReadBarrier(parts.timers, () => parts.node.readIndex());
    this.#revisions = new RevisionWaits(parts.timers);
    parts.machine.whenRevision((revision) => this.#revisions.reached(revision));
  }

  /** A range; `options.revision` is the operation's. */
  range(operation: RangeOperation, options: GetOptions): Promise<RangeResult> {
    const channel = this.#parts.tracing?.read;
    if (!channel?.hasSubscribers) return this.#range(operation, options);
    return channel.tracePromise(() => this.#range(operation, options), this.#facts('range'));
  }

  /** A transaction that only reads: it needs no entry in the log. */
  txn(command: TxnCommand, options: CallOptions): Promise<TxnResult> {
    const read = () => this.#txn(command, options);
    return traced(this.#parts.tracing?.read, read, this.#facts('txn'));
  }

  /**
   * Waits until everything acknowledged before this call is applied here.
   *
   * @param isPast - whether what is here will do
   */
  async catchUp(time: CallTime, isPast: boolean): Promise<void> {
    time.signal?.throwIfAborted();
    this.#check();
    this.checkOpen();
    if (isPast) return;
    await this.#barrier.wait(time.left);
    // What was applied meanwhile may say that this state is wrong.
    this.#check();
  }

  /** As {@link catchUp}, for what does not rest on the keyspace. */
  async barrier({ timeoutMs = this.#parts.timeoutMs, signal }: CallOptions): Promise<void> {
    signal?.throwIfAborted();
    await this.#barrier.wait({ timeoutMs, signal });
  }

  /**
   * The first read happens in this very turn, at the revision the query was made at. When another
   * state takes the place of the one being read, all of the query begins anew there.
   *
   * @param time - of the call, which ends with it; default: as long as it takes
   */
  async run<R>(start: (keyspace: Keyspace) => Query<R>, time?: CallTime): Promise<R> {
    const { machine } = this.#parts;
    try {
      for (;;) {
        const { backend, keyspace } = machine;
        try {
          let query = start(keyspace);
          while (!query.done) {
            const answer = backend.read(query.plan);
            const reads = isPromise(answer) ? await (time?.of(answer) ?? answer) : answer;
            query = query.next(reads);
            // Behind the last one, too: the next query often goes on where this one ends.
            const rest = this.#turns.took(reads, backend);
            if (rest !== undefined) await (time?.of(rest) ?? rest);
          }
          if (keyspace === machine.keyspace) {
            this.#check();
            return query.result;
          }
        } catch (error) {
          time?.check();
          if (keyspace === machine.keyspace) throw error;
        }
      }
    } finally {
      time?.end();
    }
  }

  /**
   * Refuses what is begun after {@link close}: for all calls of the store.
   *
   * @param outcome - of a write
   * @throws {KontikiError} what it was closed with
   */
  checkOpen(outcome?: 'rejected'): void {
    if (this.#closed === undefined) return;
    throw outcome === undefined ? this.#closed : withOutcome(this.#closed, outcome);
  }

  /** Ends everything that waits, and all that is begun later: what is being read may still be read. */
  close(error: KontikiError): void {
    this.#closed ??= error;
    this.#barrier.close(error);
    this.#revisions.close(error);
  }

  async #range(operation: RangeOperation, options: GetOptions): Promise<RangeResult> {
    const { machine } = this.#parts;
    checkCallOptions(options);
    checkPositive(operation.revision, 'revision');
    const { revision: newest } = machine.keyspace;
    const { minRevision, serializable = false } = options;
    checkLocalRead(serializable, minRevision);
    const time = new CallTime(this.#parts, options);
    // A past revision never changes: what is here already needs nobody's word.
    const isPast = operation.revision !== undefined && operation.revision <= newest;
    await this.catchUp(time, serializable || isPast);
    if (minRevision !== undefined && minRevision > machine.keyspace.revision) {
      await this.#revisions.wait(minRevision, time.left);
    }
    return this.run(() => machine.cache.rangeQuery(operation), time);
  }

  async #txn(command: TxnCommand, options: CallOptions): Promise<TxnResult> {
    checkCallOptions(options);
    checkCommand(command);
    const time = new CallTime(this.#parts, options);
    await this.catchUp(time, false);
    return this.run((keyspace) => keyspace.txnQuery(command), time);
  }

  #check(): void {
    const refusal = this.#parts.refusal();
    if (refusal !== undefined) throw refusal;
  }

  #facts(op: 'range' | 'txn'): object {
    return { memberId: this.#parts.node.identity.memberId, op };
  }
}
