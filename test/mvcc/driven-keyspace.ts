/**
 * A keyspace on the real write-behind backend, driven the way the store's state machine drives it,
 * with the steps in a test's hands: what is flushed when, how far a compaction gets, a clean close or
 * a crash between any two commands.
 */
import { expect } from 'vitest';
import { systemTimers, type Timers } from '../../src/base/clock.js';
import type { KontikiError } from '../../src/base/errors.js';
import {
  countedRecords,
  type Execution,
  type KeyEvent,
  Keyspace,
  type Query,
  type RangeSlice,
  type ReadPlan,
  type StagedChanges,
  segmentsOf,
  WatchHub,
  type WatchMatches,
} from '../../src/mvcc/index.js';
import { HashSums } from '../../src/mvcc/state-hash.js';
import type { KvEngine } from '../../src/storage/index.js';
import { WriteBehindBackend } from '../../src/storage/index.js';
import { originOf, type Requested } from './reference-sessions.js';

/** How a test's engine lives on after a close or a crash. */
export interface EngineLives {
  /** The first engine. */
  open(): Promise<KvEngine>;
  /** The engine after `engine` was closed. */
  reopen(engine: KvEngine): Promise<KvEngine>;
  /** The engine after the machine of `engine` went down; absent: this kind cannot. */
  crash?(engine: KvEngine): Promise<KvEngine>;
}

/** What happens between the fetches of something that takes several. */
export type Meanwhile = () => Promise<unknown>;

/** Flushes wait for the test; a read of very much does not. */
const timers: Timers = {
  after: () => ({ cancel: () => undefined }),
  soon: (callback) => systemTimers.soon(callback),
};
/** Small, so that most deletes and revokes take several. */
const slice: RangeSlice = { limit: 2, bytesMax: 1_000 };
const all = { gte: '\0', lt: '\xff\xff' };

export class DrivenKeyspace {
  readonly #lives: EngineLives;
  #engine!: KvEngine;
  backend!: WriteBehindBackend;
  keyspace!: Keyspace;
  /** Told of all that is applied, over any number of lives. */
  hub!: WatchHub;
  /** Command at each applied index from 1 on. */
  readonly log: Requested[] = [];
  readonly #watcherEventsMax: number | undefined;
  #applied = 0;

  private constructor(lives: EngineLives, watcherEventsMax: number | undefined) {
    this.#lives = lives;
    this.#watcherEventsMax = watcherEventsMax;
  }

  /** @param watcherEventsMax - events that a watcher holds; default: the limit */
  static async open(lives: EngineLives, watcherEventsMax?: number): Promise<DrivenKeyspace> {
    const driven = new DrivenKeyspace(lives, watcherEventsMax);
    await driven.#open(await lives.open());
    return driven;
  }

  /** Appends commands to the log and applies them as one batch. */
  async run(commands: readonly Requested[]): Promise<Execution[]> {
    this.log.push(...commands);
    return this.#apply(commands);
  }

  /** Runs a query to its end; something else may happen after each fetch. */
  async answer<R>(query: Query<R>, meanwhile?: Meanwhile): Promise<R> {
    let at = query;
    while (!at.done) {
      const reads = await this.backend.read(at.plan);
      await meanwhile?.();
      at = at.next(reads);
    }
    return at.result;
  }

  /** One step of removing compacted history; `false` when there was nothing left. */
  async slice(changesMax: number, meanwhile?: Meanwhile): Promise<boolean> {
    const query = this.keyspace.compactionSlice(changesMax);
    if (query === undefined) return false;
    const slice = await this.answer(query, meanwhile);
    this.backend.apply(this.keyspace.finishSlice(slice), this.#applied);
    return true;
  }

  flush(): Promise<void> {
    return this.backend.flush();
  }

  async close(): Promise<void> {
    await this.backend.close();
  }

  async reopen(): Promise<void> {
    await this.backend.close();
    await this.#open(await this.#lives.reopen(this.#engine));
  }

  get canCrash(): boolean {
    return this.#lives.crash !== undefined;
  }

  /** Loses what was not flushed, and applies the log again from there. */
  async crash(): Promise<Execution[]> {
    const { crash } = this.#lives;
    if (crash === undefined) throw new Error('this engine does not crash');
    await this.#open(await crash(this.#engine));
    return this.#apply(this.log.slice(this.#applied));
  }

  /** Every record of the keyspace, ordered. */
  async dump(): Promise<(readonly [string, Uint8Array])[]> {
    const { ranges } = await this.backend.read({ keys: [], ranges: [all] });
    const own = ranges[0]!.filter(([key]) => key[0] !== 'b' && key[0] !== 'f');
    // Not the engine's kind of array, which may be a Buffer.
    return own.map(([key, bytes]) => [key, new Uint8Array(bytes)] as const);
  }

  /** Adds the records up again and compares with the sums that were kept. */
  async scrub(): Promise<void> {
    const sums = new HashSums();
    for (const record of await this.dump()) sums.addRecord(...record);
    expect(sums.text('keys')).toBe(this.keyspace.laneHash('keys'));
    const history = sumOf(sums.text('history'), this.keyspace.removedHash.hash);
    expect(history).toBe(this.keyspace.laneHash('history'));
    expect(sums.text('leases')).toBe(this.keyspace.laneHash('leases'));
    expect(sums.text('sessions')).toBe(this.keyspace.laneHash('sessions'));
  }

  async #open(engine: KvEngine): Promise<void> {
    this.#engine = engine;
    const counted = { ...countedRecords, pageKeys: 3 };
    this.backend = await WriteBehindBackend.open({ engine, timers, counted });
    this.keyspace = Keyspace.open(await this.backend.read(Keyspace.openPlan()));
    this.#applied = this.backend.openedIndex;
    const { revision, compactRevision } = this.keyspace;
    if (this.hub !== undefined) this.hub.reset(this.keyspace);
    else {
      this.hub = new WatchHub({ revision, compactRevision, eventsMax: this.#watcherEventsMax });
    }
  }

  async #apply(commands: readonly Requested[]): Promise<Execution[]> {
    const executions: Execution[] = [];
    const places = commands.map((command, nth) => originOf(this.#applied + nth + 1, command));
    for (const segment of segmentsOf(this.keyspace, commands, places, slice)) {
      let plan: ReadPlan | undefined = segment.plan;
      const events: KeyEvent[] = [];
      let large: { staged: StagedChanges; matches: WatchMatches } | undefined;
      while (plan !== undefined) {
        plan = segment.supply(await this.backend.read(plan));
        const part = plan === undefined ? undefined : segment.takeSlice();
        if (part === undefined) continue;
        large ??= { staged: this.backend.stage(), matches: this.hub.gather() };
        large.matches.add(part.events);
        this.backend.apply(part.moves, this.#applied);
        await large.staged.add(part.changes);
        for (const event of part.events) events.push(event);
      }
      const done = segment.execute();
      this.#applied += segment.commands.length;
      this.backend.apply(done.changes, this.#applied, large?.staged);
      for (const execution of done.executions) {
        this.#tell(execution, large?.matches);
        // A command that comes in slices stands alone.
        for (const event of execution.events) events.push(event);
        executions.push(large === undefined ? execution : { ...execution, events });
      }
    }
    return executions;
  }

  #tell({ result, events }: Execution, matches: WatchMatches | undefined): void {
    const [first] = events;
    if (matches !== undefined) {
      matches.add(events);
      this.hub.notifyGathered(this.keyspace.revision, matches);
    } else if (first !== undefined) this.hub.notify(first.revision, events);
    if ('op' in result && result.op === 'compact') this.hub.compacted(result.compactRevision);
  }
}

/** An answer or an error as plain fields, to compare with a model's. */
export function plain(result: object): object {
  if (!(result instanceof Error)) return result;
  const { code, compactRevision, revision, outcome } = result as KontikiError & {
    readonly compactRevision?: number;
    readonly revision?: number;
  };
  expect(outcome).toBe(code === 'SESSION_EXPIRED' ? 'unknown' : 'rejected');
  return {
    code,
    ...(compactRevision !== undefined && { compactRevision }),
    ...(revision !== undefined && { revision }),
  };
}

/** Word by word, modulo 2^32. */
function sumOf(a: string, b: string): string {
  let text = '';
  for (let at = 0; at < a.length; at += 8) {
    const sum = Number.parseInt(a.slice(at, at + 8), 16) + Number.parseInt(b.slice(at, at + 8), 16);
    text += (sum >>> 0).toString(16).padStart(8, '0');
  }
  return text;
}
