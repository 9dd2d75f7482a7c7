// Changes that wait in the order they came say the same as a map, whoever asks, and whenever: before a walk of all
// of them, while it goes on, behind it.
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { AppendedChanges, AppendedKeys } from '../../src/storage/appended-changes.js';
import { ChangeLayer } from '../../src/storage/change-layer.js';
import { changesOf, LayerCursor } from '../../src/storage/layers.js';
import { Overlay } from '../../src/storage/overlay.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { ManualTimers, pumped } from './manual-timers.js';
import { ScriptedEngine } from './scripted-engine.js';

const keyArb = fc.constantFrom('h1', 'h2', 'h3', 'k1', 'k2');
const changeArb = fc.tuple(keyArb, fc.option(fc.uint8Array({ maxLength: 2 }), { freq: 3 }));
const everything = { gte: '', lt: '\xff' };
const askArb = fc.constantFrom('look', 'walk', 'prepare', 'nothing');

type Layer = AppendedChanges | ChangeLayer;

function ask(layer: Layer, how: string): void {
  if (how === 'look') layer.get('h1');
  if (how === 'walk') layer.addCursors(everything, []);
  if (how === 'prepare') void layer.prepare(async () => undefined);
}

describe('changes that wait', () => {
  test('asked at any time while all are walked -> the last of each key is what a map has', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(changeArb, askArb), { maxLength: 30 }),
        fc.array(askArb, { maxLength: 30 }),
        fc.constantFrom(1, 3, 1_000),
        async (steps, meanwhile, keysMax) => {
          const changes = new AppendedChanges(keysMax);
          const model = new Map<string, Uint8Array | null>();
          for (const [[key, bytes], how] of steps) {
            changes.add(key, bytes ?? undefined);
            model.set(key, bytes);
            ask(changes, how === 'prepare' ? 'nothing' : how);
          }
          const found = new Map<string, Uint8Array | null>();
          let at = 0;
          for (const walk of changes.walks()) {
            for (const [key, bytes] of walk) {
              found.set(key, bytes);
              ask(changes, meanwhile[at] ?? 'nothing');
              if (meanwhile[at] === 'prepare') await Promise.resolve();
              at += 1;
            }
          }
          const sorted = (map: ReadonlyMap<string, unknown>) => [...map].sort();
          expect(sorted(found)).toEqual(sorted(model));
          for (const [key, bytes] of model) expect(changes.get(key)).toEqual(bytes);
          const bytes = [...model].map(([key, value]) => key.length + (value?.length ?? 0));
          expect(changes.bytes).toBe(bytes.reduce((sum, size) => sum + size, 0));
          expect([changes.size, changes.waiting]).toEqual([model.size, 0]);
        },
      ),
    );
  });

  test.each([
    [64, 3, 64],
    // What none of the layers has too much of, all of them have together.
    [100, 20, 50],
  ])(
    'a thousand, %i a turn, in %i layers -> indexed and sorted in pieces, then walked in order',
    async (keysMax, count, piece) => {
      const keys = new AppendedKeys('h');
      const layers = Array.from({ length: count }, () => new ChangeLayer(keys, keysMax));
      const names = Array.from({ length: 1_000 }, (_, n) => `h${(n * 7) % 1_000}`);
      names.forEach((name, at) => {
        layers[at % count]?.set(name, Uint8Array.of(at % 256));
      });
      const waiting = () => layers.reduce((sum, layer) => sum + layer.waiting('h'), 0);
      const pieces: number[] = [];
      let before = waiting();
      expect(before).toBe(1_000);
      for (const layer of layers) {
        await layer.prepare(async () => {
          pieces.push(before - waiting());
          before = waiting();
        });
      }
      expect(Math.max(...pieces)).toBe(piece);
      expect(layers.some((layer) => layer.unsortedIn(everything) > 0)).toBe(false);
      const cursor = new LayerCursor(layers, everything);
      const found: string[] = [];
      for (let next = cursor.next(); next !== undefined; next = cursor.next()) found.push(next[0]);
      expect(found).toEqual([...new Set(names)].sort());
      expect(layers.some((layer) => layer.prepare(async () => undefined))).toBe(false);
    },
  );
});

test('looked up one by one -> never more unsorted than one turn sorts', () => {
  const changes = new AppendedChanges(10);
  for (let n = 0; n < 100; n += 1) {
    changes.add(`h${(n * 7) % 100}`, undefined);
    changes.get('h1');
    expect(changes.unsorted).toBeLessThanOrEqual(10);
  }
});

describe('a layer of both kinds', () => {
  test('a walk of a range asks those parts alone that may have some of it', () => {
    const layer = new ChangeLayer(new AppendedKeys('hk'), 10);
    for (const key of ['c1', 'c2', 'h1', 'k1', 'm']) layer.set(key, Uint8Array.of(1));
    const sizes = (
      [
        ['', '\xff', 5],
        ['c', 'd', 3],
        ['c', 'h', 3],
        ['c', 'h\0', 4],
        ['h', 'i', 1],
        ['h1', 'h5', 1],
        ['i', 'k', 3],
        ['i', 'k1', 4],
        ['k5', 'l', 1],
        ['l', 'n', 3],
      ] as const
    ).map(([gte, lt, size]) => [layer.sizeIn({ gte, lt }), size]);
    for (const [found, expected] of sizes) expect(found).toBe(expected);
    layer.addCursors({ gte: 'c', lt: 'd' }, []);
    expect([layer.waiting('h1'), layer.waiting('c1')]).toEqual([1, 0]);
    expect(layer.get('h1')).toEqual(Uint8Array.of(1));
    expect(layer.waiting('h1')).toBe(0);
  });

  test('a key of history in two layers -> a flush walks it twice, the newer one last', () => {
    const keys = new AppendedKeys('h');
    const [newer, older] = [new ChangeLayer(keys, 10), new ChangeLayer(keys, 10)];
    older.set('h1', Uint8Array.of(1));
    older.set('c1', Uint8Array.of(1));
    newer.set('h1', undefined);
    newer.set('c1', Uint8Array.of(2));
    expect([...changesOf([newer, older])]).toEqual([
      ['h1', Uint8Array.of(1)],
      ['c1', Uint8Array.of(2)],
      ['h1', undefined],
    ]);
    expect(newer.waiting('h1')).toBe(1);
  });
});

test('many short layers whose other half nobody sorted -> the next walk sorts them in pieces', async () => {
  const timers = new ManualTimers();
  const engine = new ScriptedEngine();
  const sizes = { sortKeysMax: 32, flushIntervalMs: 1_000 };
  const backend = await WriteBehindBackend.open({ engine, timers, appended: 'h', ...sizes });
  const read = (gte: string, lt: string) => backend.read({ keys: [], ranges: [{ gte, lt }] });
  const value = new Uint8Array(1);
  engine.hold = true;
  for (let layer = 0; layer < 6; layer += 1) {
    // Of history more than one turn takes, of the others less.
    const history = Array.from({ length: 64 }, (_, n) => [`h${layer}.${n}`, value] as const);
    const others = Array.from({ length: 30 }, (_, n) => [`c${n}.${layer}`, value] as const);
    backend.apply([...history, ...others], layer + 1);
    await pumped(read('h', 'i'), timers);
  }
  const { addCursors } = Overlay.prototype;
  const unsorted: number[] = [];
  const walks = vi.spyOn(Overlay.prototype, 'addCursors').mockImplementation(function (
    this: Overlay,
    ...asked
  ) {
    unsorted.push(this.unsorted);
    addCursors.apply(this, asked);
  });
  const { ranges } = await pumped(read('c', 'd'), timers);
  walks.mockRestore();
  expect(ranges[0]).toHaveLength(180);
  expect(unsorted.length).toBeGreaterThan(5);
  expect(Math.max(...unsorted)).toBe(0);
  engine.hold = false;
  await engine.release();
  await pumped(backend.close(), timers);
});

test('many keys of history at once -> each list is prepared once, not for each key', async () => {
  const timers = new ManualTimers();
  const sizes = { sortKeysMax: 32, flushIntervalMs: 1_000 };
  const engine = new ScriptedEngine();
  const backend = await WriteBehindBackend.open({ engine, timers, appended: 'hk', ...sizes });
  const value = new Uint8Array(1);
  const keys = Array.from({ length: 300 }, (_, n) => [`h${n}`, `k${n}`]).flat();
  backend.apply(
    keys.map((key) => [key, value] as const),
    1,
  );
  const prepared = vi.spyOn(ChangeLayer.prototype, 'prepare');
  const { records } = await pumped(backend.read({ keys, ranges: [] }), timers);
  expect(records).toEqual(keys.map(() => value));
  expect(prepared.mock.calls.length).toBe(2);
  prepared.mockRestore();
  await pumped(backend.close(), timers);
});
