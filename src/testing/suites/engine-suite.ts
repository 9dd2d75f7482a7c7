/** Holds an implementation of `KvEngine` to the contract. */
import { assert } from '../../base/assert.js';
import type { BinaryString } from '../../base/bytes.js';
import { Prng, type Random, randomInt } from '../../base/prng.js';
import type { EnginePair, KeyRange, KvEngine } from '../../storage/kv-engine.js';
import { checkRejects, checkSame, patternBytes } from './check.js';
import {
  Bench,
  crashAtEachStep,
  registerSuite,
  runsDefault,
  type SeededTest,
  type SuiteOptions,
  type SuiteTest,
} from './suite.js';

type Rig = Bench<KvEngine>;
type Put = readonly [BinaryString, Uint8Array | undefined];
type Model = ReadonlyMap<BinaryString, Uint8Array>;
type Range = KeyRange & { readonly reverse?: boolean };

const everything: KeyRange = { gte: '', lt: '\xff'.repeat(9) };
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function readAll(
  bench: Rig,
  engine: KvEngine,
  range: Range = everything,
  chunk = 7,
): Promise<EnginePair[]> {
  const cursor = engine.iterate(range);
  const found: EnginePair[] = [];
  for (;;) {
    const pairs = await bench.run(cursor.next(chunk));
    if (pairs.length === 0) break;
    assert(pairs.length <= chunk, `at most ${chunk} pairs at a time, got ${pairs.length}`);
    found.push(...pairs);
  }
  await bench.run(cursor.close());
  await bench.run(cursor.close());
  return found;
}

const batchOf = (keys: readonly BinaryString[], value: number): Put[] =>
  keys.map((key) => [key, bytes(value)]);

const keysOf = (pairs: readonly EnginePair[]): BinaryString[] => pairs.map(([key]) => key);

function after(model: Model, batch: readonly Put[]): Model {
  const next = new Map(model);
  for (const [key, value] of batch) {
    if (value === undefined) next.delete(key);
    else next.set(key, value);
  }
  return next;
}

function pairsOf(model: Model, { gte, lt, reverse }: Range = everything): EnginePair[] {
  const inside = [...model].filter(([key]) => key >= gte && key < lt);
  return inside.sort(([a], [b]) => (a < b !== (reverse === true) ? -1 : 1));
}

const textOf = (pairs: readonly EnginePair[]): string =>
  JSON.stringify(pairs.map(([key, value]) => [key, value.join()]));

function randomKey(random: Random): BinaryString {
  const units = ['a', '\0', '\xff', '\x80', '\x7f'];
  let key = '';
  for (let left = randomInt(random, 4); left > 0; left -= 1) {
    key += units[randomInt(random, units.length)] as string;
  }
  return key;
}

function randomBatch(random: Random): Put[] {
  return Array.from({ length: randomInt(random, 12) }, () => {
    const value = randomInt(random, 4) > 0 ? patternBytes(randomInt(random, 5), 3) : undefined;
    return [randomKey(random), value];
  });
}

const reads: Readonly<Record<string, SuiteTest<KvEngine>>> = {
  'order: every byte value and runs of 0xff -> sorted as bytes, both ways': async (bench) => {
    const engine = await bench.open();
    const all = new Set<BinaryString>();
    for (let unit = 0; unit < 256; unit += 1) {
      const key = String.fromCharCode(unit);
      for (const other of [key, `a${key}`, `${key}\xff\xff`, `\xff\xff${key}`]) all.add(other);
    }
    const shuffled = [...all].sort((a, b) => a.length - b.length || (a < b ? 1 : -1));
    const batch = shuffled.map((key, i) => [key, bytes(i & 0xff)] as const);
    await bench.run(engine.write(batch, { sync: false }));
    const up = await readAll(bench, engine, everything, 100);
    const sorted = [...shuffled].sort((a, b) => (a < b ? -1 : 1));
    checkSame(keysOf(up), sorted, 'keys');
    const down = await readAll(bench, engine, { ...everything, reverse: true }, 100);
    checkSame(keysOf(down), sorted.reverse(), 'keys in reverse');
    checkSame(down.reverse(), up, 'pairs');
  },

  'bounds: gte inclusive, lt exclusive, crossed bounds -> nothing': async (bench) => {
    const engine = await bench.open();
    const batch = ['a', 'b', 'b\0', 'c'].map((key) => [key, bytes(1)] as const);
    await bench.run(engine.write(batch, { sync: false }));
    const keys = async (gte: string, lt: string, reverse: boolean) =>
      keysOf(await readAll(bench, engine, { gte, lt, reverse }, 1));
    checkSame(await keys('b', 'c', false), ['b', 'b\0'], 'b to c');
    checkSame(await keys('b', 'c', true), ['b\0', 'b'], 'b to c, reverse');
    checkSame(await keys('c', 'b', false), [], 'c to b');
    checkSame(await keys('c', 'b', true), [], 'c to b, reverse');
    checkSame(await keys('b', 'b', false), [], 'b to b');
  },

  'batch: puts, deletes, an empty value, a key twice -> the last of each counts': async (bench) => {
    const engine = await bench.open();
    await bench.run(engine.write([['a', bytes(1)]], { sync: false }));
    const batch: readonly Put[] = [
      ['a', undefined],
      ['b', bytes()],
      ['c', bytes(3)],
      ['c', bytes(4)],
      ['d', bytes(5)],
      ['d', undefined],
      ['nothing', undefined],
    ];
    await bench.run(engine.write(batch, { sync: true }));
    const found = await bench.run(engine.getMany(['c', 'a', 'b', 'c', 'd']));
    checkSame(found, [bytes(4), undefined, bytes(), bytes(4), undefined], 'values');
    checkSame(await bench.run(engine.getMany([])), [], 'no keys');
    await bench.run(engine.write([], { sync: true }));
  },

  'batch: any iterable -> walked once': async (bench) => {
    const engine = await bench.open();
    let walks = 0;
    const batch = {
      *[Symbol.iterator](): Iterator<Put> {
        walks += 1;
        yield ['a', bytes(1)];
        yield ['b', bytes(2)];
      },
    };
    await bench.run(engine.write(batch, { sync: true, pause: async () => {} }));
    checkSame(walks, 1, 'walks');
    checkSame(await bench.run(engine.getMany(['a', 'b'])), [bytes(1), bytes(2)], 'values');
  },

  'batch: reads while it pauses -> all of it or nothing': async (bench) => {
    const engine = await bench.open();
    const keys = ['a', 'b', 'c'];
    await bench.run(engine.write(batchOf(keys, 1), { sync: false }));
    const seen = new Set<string>();
    const look = async (): Promise<void> => {
      seen.add((await engine.getMany(keys)).map((value) => value?.join()).join());
    };
    await bench.run(engine.write(batchOf(keys, 2), { sync: true, pause: look }));
    await bench.run(look());
    for (const values of seen) assert(['1,1,1', '2,2,2'].includes(values), `a part: ${values}`);
  },

  'views: a write after the call -> neither cursor nor getMany sees it': async (bench) => {
    const engine = await bench.open();
    const pairs = Array.from({ length: 300 }, (_, i) => [`k${1_000 + i}`, bytes(1)] as const);
    await bench.run(engine.write(pairs, { sync: false }));
    const cursor = engine.iterate(everything);
    const values = engine.getMany(['k1000', 'k1299', 'new']);
    const changed = pairs.map(([key], i) => [key, i % 2 > 0 ? undefined : bytes(2)] as const);
    const writing = engine.write([...changed, ['new', bytes(9)]], { sync: true });
    let isWritten = false;
    const written = () => {
      isWritten = true;
    };
    writing.then(written, written);
    // An engine whose cursors do not hold on to one moment lets the write wait for them.
    for (let steps = 0; steps < 100 && !isWritten; steps += 1) await bench.step();
    const found = [...(await bench.run(cursor.next(10)))];
    const rest = await bench.run(cursor.next(1_000));
    found.push(...rest);
    await bench.run(cursor.close());
    await bench.run(writing);
    checkSame(found, pairs, 'what the cursor saw');
    checkSame(await bench.run(values), [bytes(1), bytes(1), undefined], 'what getMany saw');
    checkSame((await readAll(bench, engine, everything, 1_000)).length, 151, 'pairs afterwards');
  },
};

const life = (
  runs: number,
): Readonly<Record<string, SuiteTest<KvEngine> | SeededTest<KvEngine>>> => ({
  'close and open -> everything is there, synced or not; a closed engine refuses': async (
    bench,
  ) => {
    const engine = await bench.open();
    await bench.run(engine.write([['a\x80\xff', bytes(1, 2, 255)]], { sync: true }));
    await bench.run(engine.write([['b', bytes(7)]], { sync: false }));
    await bench.run(engine.close());
    await bench.run(engine.close());
    await checkRejects(() => bench.run(engine.getMany(['a'])), ['CLOSED'], 'getMany');
    const write = () => bench.run(engine.write([['a', bytes(1)]], { sync: true }));
    await checkRejects(write, ['CLOSED'], 'write');
    const again = await bench.open();
    const expected = [
      ['a\x80\xff', bytes(1, 2, 255)],
      ['b', bytes(7)],
    ];
    checkSame(await readAll(bench, again), expected, 'pairs');
    await bench.run(again.close());
  },

  'random batches, ranges and chunks -> as a plain map': {
    runs,
    body: async (bench, seed) => {
      const random = new Prng(seed);
      const engine = await bench.open();
      let model: Model = new Map();
      for (let step = 0; step < 8; step += 1) {
        const batch = randomBatch(random);
        await bench.run(engine.write(batch, { sync: randomInt(random, 2) > 0 }));
        model = after(model, batch);
        const keys = [...model.keys(), randomKey(random), randomKey(random)];
        const now = engine.getNow?.(keys);
        if (now !== undefined) {
          checkSame(
            now,
            keys.map((key) => model.get(key)),
            'getNow',
          );
        }
        const range = {
          gte: randomKey(random),
          lt: randomKey(random),
          reverse: randomInt(random, 2) > 0,
        };
        const chunk = 1 + randomInt(random, 4);
        checkSame(await readAll(bench, engine, range, chunk), pairsOf(model, range), 'range');
      }
      await bench.run(engine.close());
    },
  },
});

/**
 * What a loss of power may leave: whole batches, in order, among them all that were synced. Others may be
 * missing even from before a synced one, which LevelDB may write to a log of its own.
 */
class History {
  #possible: Model[] = [new Map()];

  add(batch: readonly Put[], { sync }: { readonly sync: boolean }): void {
    const taken = this.#possible.map((state) => after(state, batch));
    this.#possible = sync ? taken : [...this.#possible, ...taken];
  }

  check(pairs: readonly EnginePair[]): void {
    const found = textOf(pairs);
    const left = this.#possible.find((state) => textOf(pairsOf(state)) === found);
    assert(left !== undefined, `no whole batches, with all that were synced, give ${found}`);
    this.#possible = [left];
  }
}

const crashes = (runs: number): Readonly<Record<string, SeededTest<KvEngine>>> => ({
  'power loss: any batches -> whole ones, and all that were synced': {
    runs,
    body: async (bench, seed) => {
      const random = new Prng(seed);
      const history = new History();
      let engine = await bench.open();
      for (let crash = 0; crash < 4; crash += 1) {
        for (let left = randomInt(random, 5); left > 0; left -= 1) {
          const batch = randomBatch(random);
          const sync = randomInt(random, 3) === 0;
          history.add(batch, { sync });
          await bench.run(engine.write(batch, { sync }));
        }
        if (randomInt(random, 2) > 0) {
          const batch = randomBatch(random);
          // Nobody waits for it, so it may be missing.
          history.add(batch, { sync: false });
          engine.write(batch, { sync: true }).catch(() => undefined);
          for (let steps = randomInt(random, 3); steps > 0; steps -= 1) await bench.step();
        }
        engine = await bench.crash();
        history.check(await readAll(bench, engine));
      }
    },
  },
});

const base: readonly Put[] = Array.from({ length: 40 }, (_, i) => [`k${100 + i}`, bytes(1)]);
const change: readonly Put[] = base.map(([key], i) => [key, i % 3 === 0 ? undefined : bytes(2)]);

/** Between any two effects of a synced write: all of the batch or nothing of it. */
function atEachStep(factory: SuiteOptions<KvEngine>['factory']): SuiteTest<KvEngine> {
  return (_bench, seed) =>
    crashAtEachStep(
      async () => {
        const bench = new Bench(await factory(seed));
        const part = await bench.open();
        await bench.run(part.write(base, { sync: true }));
        return { bench, part };
      },
      (engine) => engine.write(change, { sync: true }),
      async (engine, isDone, bench) => {
        const before = after(new Map(), base);
        const found = textOf(await readAll(bench, engine));
        const isNew = found === textOf(pairsOf(after(before, change)));
        assert(isNew || (!isDone && found === textOf(pairsOf(before))), `a mix: ${found}`);
        await bench.run(engine.write([['z', bytes(1)]], { sync: true }));
        checkSame(await bench.run(engine.getMany(['z'])), [bytes(1)], 'a later write');
      },
    );
}

/**
 * Registers the conformance tests of a `KvEngine`.
 *
 * @param options - what to test, and on what
 * @since 0.1.0
 * @example
 * engineSuite({
 *   runner: { describe, test },
 *   name: 'my engine',
 *   factory: () => ({ open: () => openMyEngine(folder), crash: () => cutPower() }),
 * });
 */
export function engineSuite(options: SuiteOptions<KvEngine>): void {
  const runs = options.runs ?? runsDefault;
  registerSuite(options, {
    ...reads,
    ...life(runs),
    ...crashes(runs),
    'power loss: before and after each effect of a synced batch -> all of it or nothing': {
      runs: Math.max(1, Math.floor(runs / 5)),
      body: atEachStep(options.factory),
    },
  });
}
