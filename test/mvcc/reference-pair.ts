/**
 * A keyspace on a real backend beside the reference model, and beside a second keyspace on another
 * backend that executes each command by itself and removes nothing. All that can be asked of the first
 * must be what the model says, and the hashes of the two must be equal.
 */
import { expect } from 'vitest';
import type {
  CatchUp,
  Command,
  Execution,
  KeySelection,
  Query,
  RangeOperation,
  TxnCommand,
} from '../../src/mvcc/index.js';
import { isReadOnly } from '../../src/mvcc/index.js';
import { attachmentRange, keyOfAttachment } from '../../src/mvcc/lease-record.js';
import { closedKey, currentKey, historyKey } from '../../src/mvcc/record-keys.js';
import { DrivenKeyspace, type EngineLives, plain } from './driven-keyspace.js';
import { expectSame } from './expect-same.js';
import { ReferenceModel } from './reference-model.js';
import { reading } from './reference-rules.js';
import type { Requested } from './reference-sessions.js';
import { SortedBackend } from './sorted-backend.js';
import { checkWatch } from './watch-checks.js';
import { Consumer, type ConsumerOptions, type WatchedState } from './watch-consumer.js';

const everything = { gte: '' };
/** Small: watchers fall behind. */
const watcherEventsMax = 6;

export class ReferencePair {
  readonly model = new ReferenceModel();
  readonly driven: DrivenKeyspace;
  readonly watches = new Map<Consumer, ConsumerOptions>();
  readonly #twin = new SortedBackend();
  readonly #twinKeyspace = this.#twin.open();
  /** The model's answer and events at each index. */
  readonly #answers: { readonly answer: object; readonly events: unknown }[] = [];
  readonly #watched: WatchedState;

  private constructor(driven: DrivenKeyspace, piece: number | undefined) {
    this.driven = driven;
    this.#watched = {
      hub: driven.hub,
      eventsMax: watcherEventsMax,
      history: (request: CatchUp) => {
        return driven.keyspace.historyQuery({ ...request, limit: piece ?? request.limit });
      },
    };
  }

  /** @param piece - changes that a watch reads from history at a time; default: as it asks */
  static async open(lives: EngineLives, piece?: number): Promise<ReferencePair> {
    return new ReferencePair(await DrivenKeyspace.open(lives, watcherEventsMax), piece);
  }

  async run(batch: readonly Requested[]): Promise<void> {
    const from = this.#answers.length;
    for (const command of batch) this.#answers.push(this.model.execute(command));
    this.#check(await this.driven.run(batch), from);
    for (const command of batch) this.#twin.run(this.#twinKeyspace, [command]);
    expect(this.driven.keyspace.stateHash).toBe(this.#twinKeyspace.stateHash);
  }

  /** Everything lost is applied again, with the same answers. */
  async crash(): Promise<void> {
    const again = await this.driven.crash();
    this.#check(again, this.#answers.length - again.length);
  }

  async read(operation: RangeOperation, meanwhile: readonly Command[] = []): Promise<void> {
    const expected = this.model.range(operation);
    const without = meanwhile.filter(({ op }) => op !== 'compact');
    const start = () => this.driven.keyspace.rangeQuery(operation);
    await this.#expectAnswer(start, expected, () => this.run(without));
  }

  async readTxn(txn: TxnCommand): Promise<void> {
    const copy = reading(txn);
    expect(isReadOnly(copy)).toBe(true);
    await this.#expectAnswer(() => this.driven.keyspace.txnQuery(copy), this.model.readTxn(copy));
  }

  /** What a time-to-live with keys asks of the keyspace. */
  async leaseKeys(id: bigint): Promise<void> {
    const live = this.model.stateAt(this.model.revision);
    const expected = live.filter(({ lease }) => lease === id).map(({ key }) => key);
    expect(this.driven.keyspace.lease(id)).toEqual(this.model.leases.find(id));
    expect(await this.driven.answer(this.driven.keyspace.leaseKeysQuery(id))).toEqual(expected);
  }

  async history(fromRevision: number, keys: KeySelection, limit: number): Promise<void> {
    const groups: unknown[] = [];
    let from = fromRevision;
    try {
      while (from <= this.model.revision) {
        const query = this.driven.keyspace.historyQuery({ fromRevision: from, limit, keys });
        const part = await this.driven.answer(query);
        expect(part.nextRevision).toBeGreaterThan(from);
        groups.push(...part.revisions.map(({ events }) => events));
        from = part.nextRevision;
      }
    } catch (error) {
      expect(plain(error as object)).toEqual(this.model.history(fromRevision, keys));
      return;
    }
    if (fromRevision > this.model.revision) return;
    expectSame(groups, this.model.history(fromRevision, keys));
  }

  watch(options: ConsumerOptions): void {
    const { compactRevision, revision } = this.model;
    const from = options.fromRevision ?? revision + 1;
    if (from >= compactRevision) {
      this.watches.set(new Consumer(this.#watched, options), options);
      return;
    }
    const compacted = expect.objectContaining({ code: 'COMPACTED', compactRevision });
    expect(() => new Consumer(this.#watched, options)).toThrow(compacted);
  }

  /** One small thing; something else may happen before it has what it wanted to read. */
  async pull(consumer: Consumer, meanwhile?: () => Promise<void>): Promise<boolean> {
    const { wanted } = consumer;
    if (wanted === undefined) return consumer.pull();
    const reads = await this.driven.backend.read(wanted);
    await meanwhile?.();
    consumer.supply(reads);
    return true;
  }

  /** Every watch pulls what is left, and has had exactly what the model says. */
  async checkWatches(): Promise<void> {
    for (const [consumer, options] of this.watches) {
      // Far more than any sequence needs: without progress it would not end.
      for (let turns = 0; await this.pull(consumer); turns += 1) expect(turns).toBeLessThan(10_000);
      consumer.mark();
      checkWatch(this.model, consumer, options);
    }
  }

  /** Revisions that are left read as they were, and their history is whole. */
  async checkAll(): Promise<void> {
    const { model } = this;
    await this.driven.scrub();
    for (const { id } of model.leases.leases) await this.leaseKeys(id);
    const oldest = Math.max(1, model.compactRevision);
    for (let revision = oldest; revision <= model.revision; revision += 3) {
      await this.read({ op: 'range', keys: everything, revision });
    }
    await this.history(oldest, everything, 4);
  }

  /** Records of history and attachments are those of the model, and no others. */
  async checkRecords(): Promise<void> {
    const { model } = this;
    const { history, closed } = model.survivors();
    const live = model.stateAt(model.revision);
    const expected = [
      ...live.map(({ key }) => currentKey(key)),
      ...history.map(historyKey),
      ...closed.map((change) => closedKey(change.key, change)),
    ];
    const dump = await this.driven.dump();
    const own = dump.map(([key]) => key).filter((key) => 'ckz'.includes(key.charAt(0)));
    expectSame(own, expected.sort());
    const attached = dump.filter(([key]) => key.startsWith('a'));
    const ids = [...new Set(live.map(({ lease }) => lease))].filter((id) => id !== undefined);
    expect(attached).toHaveLength(live.filter(({ lease }) => lease !== undefined).length);
    for (const id of ids) {
      const { gte, lt } = attachmentRange(id);
      const keys = attached.filter(([key]) => key >= gte && key < lt);
      const due = live.filter(({ lease }) => lease === id).map(({ key }) => key);
      expectSame(
        keys.map((record) => keyOfAttachment(...record)),
        due,
      );
    }
  }

  async #expectAnswer(
    start: () => Query<object>,
    expected: object,
    meanwhile?: () => Promise<void>,
  ): Promise<void> {
    let got: object;
    try {
      got = await this.driven.answer(start(), meanwhile);
    } catch (error) {
      got = plain(error as object);
    }
    expectSame(got, expected);
  }

  #check(executions: readonly Execution[], from: number): void {
    const got = executions.map(({ result, events }) => ({ answer: plain(result), events }));
    expectSame(got, this.#answers.slice(from, from + got.length));
    const { keyspace, hub } = this.driven;
    const { revision, compactRevision, readLease } = this.model;
    expect(keyspace).toMatchObject({ revision, compactRevision, readLease });
    const alarmed = keyspace.alarms.list().map(({ member }) => member);
    expect(alarmed).toEqual([...this.model.alarms].sort((a, b) => a - b));
    expect(hub).toMatchObject({ revision, compactRevision });
    const byId = (a: { id: bigint }, b: { id: bigint }) => (a.id < b.id ? -1 : 1);
    const leases = [...keyspace.leases()].sort(byId);
    expect(leases).toEqual([...this.model.leases.leases].sort(byId));
    expect(keyspace.sessionCount).toBe(this.model.sessions.sessions.length);
  }
}
