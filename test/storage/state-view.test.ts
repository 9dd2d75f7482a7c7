// Views of the state beside later changes and flushes, against plain maps; and loading what one gave.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemTimers } from '../../src/base/clock.js';
import { isKontikiError, kontikiError } from '../../src/base/errors.js';
import type { Change, StateView, StoredRecord } from '../../src/mvcc/backend.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { MemoryEngine } from '../../src/storage/memory/kv-engine.js';
import { StateLoader } from '../../src/storage/state-loader.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import type { WriteBehindOptions } from '../../src/storage/write-behind-options.js';
import { ManualTimers, pumped } from './manual-timers.js';
import { ScriptedEngine } from './scripted-engine.js';

type Model = ReadonlyMap<string, Uint8Array>;

const value = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const code = (expected: string) => (error: unknown) =>
  isKontikiError(error) && error.code === expected;

async function open(options: Partial<WriteBehindOptions> = {}) {
  const engine = new ScriptedEngine();
  const timers = new ManualTimers();
  const backend = await WriteBehindBackend.open({
    engine,
    timers,
    flushIntervalMs: 50,
    ...options,
  });
  return { backend, engine, timers };
}

async function readAll(
  view: StateView,
  count = 3,
  timers = new ManualTimers(),
): Promise<StoredRecord[]> {
  const out: StoredRecord[] = [];
  for (;;) {
    const records = await pumped(view.next(count), timers);
    expect(records.length).toBeLessThanOrEqual(count);
    if (records.length === 0) return out;
    out.push(...records);
  }
}

function applied(model: Model, changes: readonly Change[]): Model {
  const next = new Map(model);
  for (const [key, bytes] of changes) {
    if (bytes === undefined) next.delete(key);
    else next.set(key, bytes);
  }
  return next;
}

const sorted = (model: Model): StoredRecord[] => [...model].sort(([a], [b]) => (a < b ? -1 : 1));

const keyArb = fc
  .tuple(
    fc.constantFrom('a', 'c', 'h', 'm', 'z'),
    fc.string({ unit: fc.constantFrom('\0', 'x', '\xff'), maxLength: 2 }),
  )
  .map(([prefix, rest]) => prefix + rest);
const changesArb = fc.array(
  fc.tuple(keyArb, fc.option(fc.uint8Array({ maxLength: 4 }), { nil: undefined, freq: 2 })),
  { maxLength: 8 },
);
const stepArb = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('apply' as const), changes: changesArb }) },
  { weight: 2, arbitrary: fc.constant({ do: 'capture' as const }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('next' as const), which: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'tick' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('release' as const), showEarly: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), which: fc.nat(9) }) },
);

interface Open {
  readonly view: StateView;
  readonly expected: StoredRecord[];
  readonly index: number;
  readonly found: StoredRecord[];
}

describe('a view', () => {
  test('random applies, flushes and captures, read in pieces -> each is its own moment', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepArb, { maxLength: 60, size: 'max' }),
        fc.constantFrom(1, 2, 1_000),
        fc.constantFrom(undefined, 'hkz'),
        async (steps, chunkMax, appended) => {
          const sizes = { flushBytes: 60, sortKeysMax: chunkMax };
          const { backend, engine, timers } = await open({ ...sizes, appended });
          engine.hold = true;
          engine.chunkMax = chunkMax;
          let views: Open[] = [];
          let model: Model = new Map();
          let index = 0;
          for (const step of steps) {
            if (step.do === 'apply') {
              index += 1;
              backend.apply(step.changes, index);
              model = applied(model, step.changes);
            } else if (step.do === 'capture') {
              views.push({ view: backend.capture(), expected: sorted(model), index, found: [] });
            } else if (step.do === 'next') {
              const one = views[step.which];
              if (one !== undefined) one.found.push(...(await pumped(one.view.next(2), timers)));
            } else if (step.do === 'tick') {
              timers.advance(50);
            } else if (step.do === 'release') {
              engine.showEarly = step.showEarly;
              await engine.release();
            } else {
              const one = views[step.which];
              await one?.view.close();
              views = views.filter((other) => other !== one);
            }
          }
          for (const { view, expected, found, index: at } of views) {
            found.push(...(await readAll(view, 3, timers)));
            expect(found).toEqual(expected);
            expect(view.appliedIndex).toBe(at);
            await view.close();
          }
          expect(engine.openCursors).toBe(0);
          // Sealed layers are flushed as the others.
          engine.hold = false;
          await engine.release();
          await backend.close();
          const again = await WriteBehindBackend.open({ engine: engine.inner.reopen(), timers });
          expect(again.openedIndex).toBe(index);
          expect(await readAll(again.capture())).toEqual(sorted(model));
          await again.close();
        },
      ),
      { numRuns: 300 },
    );
  });

  test('capture -> one cursor, nothing read or copied, reads and limits as before', async () => {
    const { backend, engine, timers } = await open({ overlayBytesMax: 500 });
    engine.hold = true;
    engine.keysAsked = [];
    for (let n = 1; n <= 4; n += 1) {
      backend.apply([[`c${n}`, new Uint8Array(100).fill(n)]], n);
      backend.capture();
    }
    expect([engine.openCursors, engine.keysAsked]).toEqual([4, []]);
    const { records } = await backend.read({ keys: ['c1', 'c4'], ranges: [] });
    expect(records.map((bytes) => bytes?.[0])).toEqual([1, 4]);
    expect(backend.ready()).toBeUndefined();
    backend.apply([['c5', new Uint8Array(100)]], 5);
    const ready = backend.ready();
    expect(ready).toBeInstanceOf(Promise);
    timers.advance(50);
    expect(engine.writeCount).toBe(1);
    await engine.release();
    await ready;
    expect(backend.durableIndex).toBe(5);
  });

  test('two captures without a change between -> no further layer', async () => {
    const { backend } = await open();
    backend.apply([['ca', value(1)]], 1);
    const [first, second] = [backend.capture(), backend.capture()];
    backend.apply([['ca', undefined]], 2);
    expect(await readAll(first)).toEqual([['ca', value(1)]]);
    expect(await readAll(second)).toEqual([['ca', value(1)]]);
    expect(await readAll(backend.capture())).toEqual([]);
  });

  test('a damaged record -> STATE_CORRUPT, unless it is overridden', async () => {
    const seen: string[] = [];
    const verify = (key: string, bytes: Uint8Array): void => {
      seen.push(key);
      if (bytes[0] === 13) throw kontikiError('STATE_CORRUPT', `record ${key}`);
    };
    const { backend } = await open({ verify });
    backend.apply(
      [
        ['ca', value(13)],
        ['cb', value(2)],
      ],
      1,
    );
    await backend.flush();
    await expect(readAll(backend.capture())).rejects.toSatisfy(code('STATE_CORRUPT'));
    backend.apply([['ca', value(1)]], 2);
    seen.length = 0;
    expect(await readAll(backend.capture())).toHaveLength(2);
    expect(seen).toEqual(['ca', 'cb']);
  });

  test('a failed flush -> views before and after it read on', async () => {
    const { backend, engine } = await open();
    backend.apply([['ca', value(1)]], 1);
    const before = backend.capture();
    engine.failWith = new Error('boom');
    await expect(backend.flush()).rejects.toSatisfy(code('STORAGE_IO'));
    backend.apply([['cb', value(2)]], 2);
    expect(await readAll(before)).toEqual([['ca', value(1)]]);
    expect(await readAll(backend.capture())).toHaveLength(2);
  });

  test('close of the backend -> closes the views; a closed view refuses', async () => {
    const { backend, engine } = await open();
    backend.apply([['ca', value(1)]], 1);
    const view = backend.capture();
    await backend.close();
    expect(engine.openCursors).toBe(0);
    await view.close();
    await expect(view.next(1)).rejects.toSatisfy(code('CLOSED'));
    expect(() => backend.capture()).toThrow(/closed/);
  });

  test('a key that the engine walks last -> assertion, since no view would show it', async () => {
    const { backend } = await open();
    expect(() => backend.apply([['\xff', value(1)]], 1)).toThrow(/backend itself/);
  });
});

describe('on classic-level', () => {
  test('a view -> its moment, while flushes in slices overwrite everything', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kontiki-'));
    const engine = await openClassicLevel(folder);
    const backend = await WriteBehindBackend.open({ engine, timers: systemTimers });
    const keys = Array.from({ length: 3_000 }, (_, n) => `c${10_000 + n}`);
    const all = (n: number): Change[] => keys.map((key) => [key, value(n, n)]);
    backend.apply(all(1), 1);
    await backend.flush();
    backend.apply(all(2).slice(0, 1_000), 2);
    const flushing = backend.flush();
    const view = backend.capture();
    const found = [...(await view.next(10))];
    for (let n = 3; n < 6; n += 1) {
      backend.apply(all(n), n);
      await backend.flush();
    }
    await flushing;
    found.push(...(await readAll(view, 700)));
    expect(found.map(([key]) => key)).toEqual(keys);
    expect(found.map(([, bytes]) => bytes[0])).toEqual([
      ...Array<number>(1_000).fill(2),
      ...Array<number>(2_000).fill(1),
    ]);
    await backend.close();
    await rm(folder, { recursive: true });
  });
});

describe('loading a state', () => {
  const records: StoredRecord[] = Array.from({ length: 50 }, (_, n) => [`c${100 + n}`, value(n)]);

  async function load(
    engine: ScriptedEngine | MemoryEngine,
    batchBytes: number,
  ): Promise<StateLoader> {
    const loader = await StateLoader.begin(engine, { batchBytes });
    for (let at = 0; at < records.length; at += 7) await loader.add(records.slice(at, at + 7));
    return loader;
  }

  const reopen = (engine: MemoryEngine): Promise<WriteBehindBackend> =>
    WriteBehindBackend.open({ engine, timers: new ManualTimers() });

  test.each([1, 100, 1e9])(
    'batches of %d bytes -> the same state, and flushes go on',
    async (size) => {
      const engine = new MemoryEngine();
      await (await load(engine, size)).finish(77);
      engine.crash();
      const backend = await reopen(engine.reopen());
      expect([backend.openedIndex, backend.durableIndex]).toEqual([77, 77]);
      expect(await readAll(backend.capture())).toEqual(records);
      backend.apply([['c100', undefined]], 78);
      await backend.flush();
      await backend.close();
      const again = await reopen(engine.reopen());
      expect(again.openedIndex).toBe(77);
    },
  );

  test('cut short anywhere -> STATE_CORRUPT or empty, never a part of it', async () => {
    for (const crashes of [true, false]) {
      const engine = new MemoryEngine();
      await load(engine, 30);
      if (crashes) engine.crash();
      await expect(reopen(engine.reopen())).rejects.toSatisfy(code('STATE_CORRUPT'));
    }
    const before = new MemoryEngine();
    await load(before, 1e9);
    before.crash();
    expect((await reopen(before.reopen())).openedIndex).toBe(0);
  });

  test('a batch of the load is lost later -> STATE_CORRUPT', async () => {
    for (const lost of [1, 2, 5]) {
      const engine = new ScriptedEngine();
      engine.forget.add(lost);
      await (await load(engine, 30)).finish(9);
      expect(engine.writeCount).toBeGreaterThan(5);
      await expect(reopen(engine.inner.reopen())).rejects.toSatisfy(code('STATE_CORRUPT'));
    }
  });

  test('into an engine that holds something -> refused', async () => {
    const engine = new MemoryEngine();
    await (await load(engine, 100)).finish(1);
    await expect(StateLoader.begin(engine)).rejects.toSatisfy(code('STATE_CORRUPT'));
    const other = new MemoryEngine();
    await other.write([['c', value(1)]], { sync: true });
    await expect(StateLoader.begin(other)).rejects.toSatisfy(code('STATE_CORRUPT'));
  });
});
