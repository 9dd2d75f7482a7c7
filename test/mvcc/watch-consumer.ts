/** A consumer of a watch of any pace: it does one small thing at a time, when told to. */
import { expect } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import type {
  CatchUp,
  History,
  KeySelection,
  Query,
  ReadPlan,
  ReadSet,
  RevisionEvents,
  WatchConsumer,
  Watcher,
  WatchFilter,
  WatchHub,
} from '../../src/mvcc/index.js';

/** What a consumer got, in order: revisions, whole or in pieces, and bookmarks between them. */
export type Got = RevisionEvents | { readonly bookmark: number };

export interface ConsumerOptions extends WatchFilter {
  readonly keys: KeySelection;
  readonly fromRevision?: number | undefined;
  /** Takes each revision as it comes, if it holds nothing; otherwise all comes by `pull`. */
  readonly isEager?: boolean;
}

/** What is watched. */
export interface WatchedState {
  readonly hub: WatchHub;
  /** Events that a watcher holds. */
  readonly eventsMax: number;
  history(request: CatchUp): Query<History>;
  /** Absent: whoever pulls reads what is `wanted`, and supplies it. */
  read?(plan: ReadPlan): ReadSet;
}

export class Consumer implements WatchConsumer {
  readonly got: Got[] = [];
  readonly watcher: Watcher;
  isClosed = false;
  /** What history said when it ended the watch, and which revision was asked for. */
  compacted: { readonly compactRevision: number; readonly fromRevision: number } | undefined;
  woken = 0;
  readonly #state: WatchedState;
  readonly #isEager: boolean;
  #reading: { readonly request: CatchUp; readonly query: Query<History> } | undefined;

  constructor(state: WatchedState, { isEager = false, ...request }: ConsumerOptions) {
    this.#state = state;
    this.#isEager = isEager;
    this.watcher = state.hub.watch({ ...request, consumer: this });
  }

  get isOver(): boolean {
    return this.isClosed || this.compacted !== undefined;
  }

  /** Whole revisions and pieces, without bookmarks. */
  get revisions(): RevisionEvents[] {
    return this.got.filter((it) => 'events' in it);
  }

  /** What it cannot go on without. */
  get wanted(): ReadPlan | undefined {
    const query = this.#reading?.query;
    return this.isOver || query === undefined || query.done ? undefined : query.plan;
  }

  /** The revision it needs next, as far as it can know. */
  get next(): number {
    const last = this.got.at(-1);
    if (last === undefined) return this.watcher.startRevision;
    return ('bookmark' in last ? last.bookmark : last.revision) + 1;
  }

  offer(revision: RevisionEvents): boolean {
    if (!this.#isEager || this.isOver) return false;
    this.got.push(revision);
    return true;
  }

  ready(): void {
    this.woken += 1;
  }

  /** Takes, or starts to read, or reads on; false when there was nothing to do. */
  pull(): boolean {
    if (this.isOver) return false;
    const { wanted } = this;
    if (wanted !== undefined) {
      this.supply(this.#state.read!(wanted));
      return true;
    }
    if (this.#reading !== undefined) {
      this.#finish(this.#reading);
      return true;
    }
    const taken = this.watcher.take();
    if (taken !== undefined) {
      const count = taken.reduce((sum, { events }) => sum + events.length, 0);
      expect(count).toBeLessThanOrEqual(this.#state.eventsMax);
      this.got.push(...taken);
      return true;
    }
    if (!this.watcher.isBehind) return false;
    const request = this.watcher.catchUp();
    if (request !== undefined) this.#try(request, () => this.#state.history(request));
    return true;
  }

  /** Takes what it wanted. */
  supply(reads: ReadSet): void {
    const reading = this.#reading;
    if (reading === undefined || reading.query.done) return;
    const { request, query } = reading;
    this.#try(request, () => query.next(reads));
  }

  /** Notes a bookmark, if one may be given now. */
  mark(): void {
    const bookmark = this.isOver ? undefined : this.watcher.progress;
    if (bookmark !== undefined) this.got.push({ bookmark });
  }

  close(): void {
    this.isClosed = true;
    this.watcher.close();
  }

  #finish({ request, query }: { request: CatchUp; query: Query<History> }): void {
    this.#reading = undefined;
    if (query.done) this.got.push(...(this.watcher.caughtUp(request, query.result) ?? []));
  }

  #try(request: CatchUp, step: () => Query<History>): void {
    try {
      this.#reading = { request, query: step() };
    } catch (error) {
      this.#reading = undefined;
      // A read of a state that was replaced may fail in any way.
      if (!this.watcher.isAwaiting(request)) return;
      if (!isKontikiError(error, 'COMPACTED')) throw error;
      const { compactRevision } = error;
      this.compacted = { compactRevision, fromRevision: request.fromRevision };
      this.watcher.close();
    }
  }
}
