/**
 * Group commit: one group is written and synced at a time, and whatever arrives meanwhile is the next
 * (DESIGN §3, step 5). All batches of a group share its promise, so nothing is allocated per batch.
 */
import type { Crc32 } from '../../base/crc32.js';
import { Deferred } from '../../base/deferred.js';
import { GroupBuilder, type GroupPosition } from './group-builder.js';
import type { LogHead } from './log-head.js';
import type { SegmentWriter } from './segment-writer.js';

/** Past this a group takes no further batch. */
const groupBytesMax = 16 * 1024 * 1024;
/** Builders kept for later: one is written while the other fills. */
const spareBuilders = 2;

/** Batches that are made durable together. */
export interface PendingGroup {
  readonly builder: GroupBuilder;
  readonly done: Deferred<void>;
  /** The log before it: if a segment begins with it, what the head of that segment says. */
  readonly head: LogHead;
  /** Lowest index that it, or a group behind it so far, replaced. */
  lowest: number;
  /** Entries of this group that no later one replaced, `lo` inclusive, `hi` exclusive. */
  lo: number;
  hi: number;
}

/** What records are encoded with. */
export interface GroupCommitOptions {
  readonly crc32: Crc32;
  readonly groupId: number;
  /** CRC of the newest record. */
  readonly chain: number;
}

/** What the queue asks and tells its owner. */
export interface GroupHandlers {
  /** The log as it is now, before a group begins. */
  head(): LogHead;
  /** The group got its place and is about to be written. */
  onSealed(group: PendingGroup, place: GroupPosition): void;
  /** The group is durable; its promise resolves next. */
  onDurable(group: PendingGroup): void;
}

export class GroupCommit {
  readonly #writer: SegmentWriter;
  readonly #handlers: GroupHandlers;
  readonly #newBuilder: () => GroupBuilder;
  readonly #spare: GroupBuilder[] = [];
  readonly #queue: PendingGroup[] = [];
  #inFlight: PendingGroup | undefined;
  #running: Promise<void> | undefined;
  #failure: unknown;
  #hasFailed = false;
  #chain: number;

  constructor(writer: SegmentWriter, options: GroupCommitOptions, handlers: GroupHandlers) {
    this.#writer = writer;
    this.#handlers = handlers;
    this.#chain = options.chain;
    this.#newBuilder = () => new GroupBuilder(options.crc32, options.groupId);
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Why the log takes no more; meaningless unless {@link hasFailed}. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Promise of the newest group that is not durable yet, if there is one. */
  get newest(): Promise<void> | undefined {
    return (this.#queue.at(-1) ?? this.#inFlight)?.done.promise;
  }

  /** The group that takes the next batch. It is written in a later microtask, without being asked. */
  open(): PendingGroup {
    const newest = this.#queue.at(-1);
    if (newest !== undefined && newest.builder.length < groupBytesMax) return newest;
    const builder = this.#spare.pop() ?? this.#newBuilder();
    builder.reset(newest === undefined ? this.#chain : newest.builder.chain);
    const group: PendingGroup = {
      builder,
      done: new Deferred(),
      head: this.#handlers.head(),
      lowest: Number.POSITIVE_INFINITY,
      lo: 0,
      hi: 0,
    };
    // Whoever called `append` looks at it; nobody need look at a group of our own.
    group.done.promise.catch(() => {});
    this.#queue.push(group);
    this.#running ??= this.#run();
    return group;
  }

  /**
   * Entries from `index` on are replaced: no group that is not durable speaks for them any more. Not
   * even the one in flight, which may still wait for a new segment, and so for its place.
   */
  cut(index: number): void {
    if (this.#inFlight !== undefined) cutGroup(this.#inFlight, index);
    for (const group of this.#queue) cutGroup(group, index);
  }

  /** Refuses everything that is not durable, now and later. */
  fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#failure = error;
    this.#inFlight?.done.reject(error);
    for (const group of this.#queue.splice(0)) group.done.reject(error);
  }

  /** Resolves when nothing is queued or in flight. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Calls of the same turn come together in one group.
    await Promise.resolve();
    for (;;) {
      const group = this.#queue.shift();
      if (group === undefined || this.#hasFailed) break;
      this.#inFlight = group;
      await this.#write(group);
      this.#inFlight = undefined;
    }
    this.#running = undefined;
  }

  async #write(group: PendingGroup): Promise<void> {
    const { builder } = group;
    this.#chain = builder.chain;
    try {
      await this.#writer.append(group, (place) => this.#handlers.onSealed(group, place));
    } catch (error) {
      return this.fail(error);
    }
    this.#handlers.onDurable(group);
    if (this.#spare.length < spareBuilders) this.#spare.push(builder);
    group.done.resolve();
  }
}

function cutGroup(group: PendingGroup, index: number): void {
  group.lowest = Math.min(group.lowest, index);
  group.lo = Math.min(group.lo, index);
  group.hi = Math.min(group.hi, index);
}
