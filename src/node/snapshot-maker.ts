/**
 * Makes snapshots of the own state, for members that the log no longer reaches: only when one is
 * asked for, one at a time, and not again as long as the last one still meets the log.
 */
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import { type ConfState, canonical, memberIds } from '../raft/configuration.js';
import type { MemberId } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import type { SnapshotMeta, SnapshotSink, SnapshotStore } from '../storage/snapshot-store.js';
import type { ApplyLoop } from './apply-loop.js';
import type { StateMachine, StateSnapshot } from './state-machine.js';
import { type Tracing, traced } from './tracing.js';

/** @since 0.1.0 */
export interface SnapshotMakerParts {
  readonly log: LogStore;
  readonly machine: StateMachine;
  readonly store: SnapshotStore;
  readonly apply: ApplyLoop;
  /** Members at the applied index. */
  readonly configuration: () => ConfState;
  /** Where making one can be watched, and whose it is. */
  readonly tracing?: Tracing | undefined;
  readonly memberId?: MemberId | undefined;
  /** One could not be made, and not for the reason told last; another is begun later. */
  onFailed?(error: KontikiError): void;
}

/** Calls of `latest` that are let pass after a failure before it is tried again. */
const callsSkippedAfterFailure = 20;

/** @since 0.1.0 */
export class SnapshotMaker {
  readonly #parts: SnapshotMakerParts;
  #latest: SnapshotMeta | undefined;
  #making: Promise<void> | undefined;
  #skip = 0;
  /** Why the last one could not be made. */
  #toldMessage: string | undefined;
  #isCancelled = false;
  #isStopped = false;
  /** What is being streamed: the log must still reach it when it is done. */
  #makingIndex = Infinity;

  constructor(parts: SnapshotMakerParts) {
    this.#parts = parts;
  }

  /** The log is to be kept above this index while one is being made. */
  get pinnedIndex(): number {
    return this.#makingIndex;
  }

  /** Last entry in the newest one; 0 for none. */
  get newestIndex(): number {
    return this.#latest?.last.index ?? 0;
  }

  /** One that the log goes on behind, if there is one; otherwise begins to make it. */
  latest(): SnapshotMeta | undefined {
    const latest = this.#latest;
    if (latest !== undefined && this.#isOfUse(latest)) return latest;
    if (this.#skip > 0) this.#skip -= 1;
    else if (!this.#isStopped) this.#making ??= this.#make();
    return undefined;
  }

  /** What is stored was found to be damaged: it is not used again. */
  async damaged(meta: SnapshotMeta): Promise<void> {
    if (this.#latest === meta) this.#latest = undefined;
    await this.#parts.store.remove(meta).catch(() => undefined);
  }

  /** Gives up what is being made: this member leads no more. */
  cancel(): void {
    this.#isCancelled = true;
  }

  /** Makes no more; resolves once nothing is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#isCancelled = true;
    await this.#making;
  }

  /** It meets the log, and nobody was added since: a member takes none that does not know it. */
  #isOfUse({ configuration, last }: SnapshotMeta): boolean {
    const { log } = this.#parts;
    if (last.index < log.firstIndex() - 1 || last.index > log.lastIndex()) return false;
    const known = new Set(memberIds(canonical(configuration)));
    return memberIds(canonical(this.#parts.configuration())).every((id) => known.has(id));
  }

  /** Never rejects: a member that needs a snapshot waits, and asks again. */
  async #make(): Promise<void> {
    this.#isCancelled = false;
    try {
      this.#latest = (await this.#stored()) ?? (await this.#traceWrite());
      this.#toldMessage = undefined;
    } catch (error) {
      // The disk may be full, or a snapshot is being received. Nothing rests on this one.
      this.#skip = callsSkippedAfterFailure;
      if (!this.#isCancelled) this.#tell(error);
    } finally {
      this.#making = undefined;
      this.#makingIndex = Infinity;
    }
  }

  /** Once, however often the same comes of it: who waits for one asks again and again. */
  #tell(reason: unknown): void {
    const error = isKontikiError(reason)
      ? reason
      : kontikiError('ASSERTION', `snapshot: unexpected ${reason}`, { cause: reason });
    if (error.message === this.#toldMessage) return;
    this.#toldMessage = error.message;
    this.#parts.onFailed?.(error);
  }

  /** From an earlier life, or installed here. */
  async #stored(): Promise<SnapshotMeta | undefined> {
    const all = await this.#parts.store.list();
    return all.find((meta) => this.#isOfUse(meta));
  }

  async #traceWrite(): Promise<SnapshotMeta> {
    const { machine, memberId, tracing } = this.#parts;
    // It would fail, and leave one layer of changes more behind that reads walk through.
    if (machine.hasSpace === false) throw kontikiError('NO_SPACE', 'the state waits for space');
    return traced(tracing?.snapshot, () => this.#write(), { memberId, kind: 'make' });
  }

  async #write(): Promise<SnapshotMeta> {
    const { apply, configuration, log, machine, store } = this.#parts;
    const captured = await apply.exclusive(async () => {
      const snapshot = machine.snapshot?.() as StateSnapshot;
      this.#makingIndex = snapshot.appliedIndex;
      const term = log.term(snapshot.appliedIndex) as number;
      return { snapshot, configuration: configuration(), term };
    });
    const { snapshot, term } = captured;
    try {
      const last = { term, index: snapshot.appliedIndex };
      const sink = await store.create(last, captured.configuration);
      const meta = await this.#stream(snapshot, sink);
      await store.prune().catch(() => undefined);
      return meta;
    } finally {
      await snapshot.close();
    }
  }

  async #stream(snapshot: StateSnapshot, sink: SnapshotSink): Promise<SnapshotMeta> {
    try {
      for (;;) {
        if (this.#isCancelled) throw kontikiError('ABORTED', 'nobody asks for it any more');
        const chunk = await snapshot.next();
        if (chunk === undefined) return await sink.commit();
        await sink.write(chunk);
      }
    } catch (error) {
      await sink.discard().catch(() => undefined);
      throw error;
    }
  }
}
