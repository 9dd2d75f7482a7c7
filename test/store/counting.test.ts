// Counts at the latest revision against their slow twin: the same range listed without a limit, read in
// the same turn. Commands of every kind, in slices, while counts, flushes and crashes are under way.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeCommand } from '../../src/codec/command-codec.js';
import { countedRecords } from '../../src/mvcc/counted-records.js';
import type { Query } from '../../src/mvcc/query.js';
import type { Command, KeySelection, RangeOperation, RangeResult } from '../../src/mvcc/types.js';
import type { Entry } from '../../src/raft/types.js';
import { WriteBehindBackend } from '../../src/storage/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { commands, ranges } from '../mvcc/command-arbitraries.js';
import { VirtualTime } from '../node/virtual-time.js';
import { ScriptedEngine } from '../storage/scripted-engine.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const slice = { limit: 2, bytesMax: 1_000_000 };

const steps = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('apply' as const),
      batch: fc.array(commands, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('count' as const), range: ranges }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly time = new VirtualTime();
  engine = new ScriptedEngine();
  machine!: StoreStateMachine;
  readonly log: Entry[] = [];
  #applying: Promise<unknown> = Promise.resolve();
  readonly #counts: Promise<void>[] = [];
  compared = 0;

  async open(): Promise<void> {
    this.engine.chunkMax = 2;
    const backend = await WriteBehindBackend.open({
      engine: this.engine,
      timers: this.time,
      counted: { ...countedRecords, pageKeys: 2, pagesMax: 12 },
    });
    this.machine = new StoreStateMachine(backend, undefined, slice);
    await this.machine.open();
    await this.time.settle(this.machine.apply(this.log.slice(this.machine.appliedIndex)));
  }

  apply(batch: readonly Command[]): void {
    const from = this.log.length;
    for (const command of batch) {
      const index = this.log.length + 1;
      const data = encodeCommand({ session: 2 ** 52, seq: index, doneBelow: 1, command });
      this.log.push({ term: 1, index, type: 'normal', data });
    }
    const entries = this.log.slice(from);
    this.#applying = this.#applying.then(() => this.machine.apply(entries));
  }

  /** Both are planned in this turn, so both are of this moment. */
  count(keys: KeySelection, limit: number | undefined): void {
    const list: RangeOperation = { op: 'range', keys };
    const counted: RangeOperation =
      limit === undefined ? { ...list, countOnly: true } : { ...list, limit, count: true };
    const { keyspace } = this.machine;
    const expected = this.#run(keyspace.rangeQuery(list));
    const found = this.#run(keyspace.rangeQuery(counted));
    const compare = async () => {
      const { kvs } = await expected;
      const answer = await found;
      this.compared += 1;
      expect(answer.count).toBe(kvs.length);
      const shown = limit === undefined ? [] : kvs.slice(0, limit);
      expect(answer.kvs).toEqual(shown);
      expect(answer.more).toBe(limit !== undefined && kvs.length > limit);
    };
    this.#counts.push(compare());
  }

  flush(): void {
    this.machine.flush().catch(() => undefined);
  }

  async settle(): Promise<void> {
    await this.time.settle(this.#applying);
    await this.time.settle(Promise.all(this.#counts.splice(0)));
  }

  async crash(): Promise<void> {
    await this.settle();
    this.engine.inner.crash();
    this.engine = new ScriptedEngine(this.engine.inner.reopen());
    await this.open();
  }

  async #run(query: Query<RangeResult>): Promise<RangeResult> {
    let at = query;
    while (!at.done) at = at.next(await this.machine.backend.read(at.plan));
    return at.result;
  }
}

async function play(script: readonly Step[]): Promise<number> {
  const world = new World();
  await world.open();
  for (const step of script) {
    if (step.do === 'apply') world.apply(step.batch);
    else if (step.do === 'count') world.count(step.range.keys, step.range.limit);
    else if (step.do === 'flush') world.flush();
    else if (step.do === 'crash') await world.crash();
    else await world.time.run(0.001);
  }
  await world.settle();
  world.count({ gte: '' }, undefined);
  world.count({ gte: 'a', lt: 'b' }, undefined);
  await world.settle();
  return world.compared;
}

describe('counting', () => {
  test(
    'any commands, flushes and crashes -> every count is what a list of that moment holds',
    async () => {
      let compared = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { maxLength: 50, size: 'max' }), async (script) => {
          compared += await play(script);
        }),
        { numRuns: 60 * depth },
      );
      expect(compared).toBeGreaterThan(200 * depth);
    },
    60_000 * depth,
  );
});
