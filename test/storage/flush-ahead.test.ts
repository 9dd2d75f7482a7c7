/** What goes ahead of a flush: crashes between the two batches, and batches that are lost. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { Prng, randomInt } from '../../src/base/prng.js';
import type { Change } from '../../src/mvcc/backend.js';
import { closedKey, historyKey, historyUnits } from '../../src/mvcc/record-keys.js';
import { KeySample } from '../../src/storage/ahead-proofs.js';
import { AppendedKeys } from '../../src/storage/appended-changes.js';
import { ChangeLayer } from '../../src/storage/change-layer.js';
import { aheadOf, aheadUnit, putsOf } from '../../src/storage/flush-ahead.js';
import { decodeFlush, flushKeys } from '../../src/storage/flush-record.js';
import { changesOf, heldIn, LayerCursor, restOf } from '../../src/storage/layers.js';
import type { MemoryEngine } from '../../src/storage/memory/kv-engine.js';
import { StagedLayer } from '../../src/storage/staged-layer.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { ManualTimers } from './manual-timers.js';
import { ScriptedEngine } from './scripted-engine.js';

const timers = new ManualTimers();
const byte = (n: number): Uint8Array => Uint8Array.of(n);
const stateCorrupt = (error: unknown) => isKontikiError(error, 'STATE_CORRUPT');
const appended = 'kz';

function layerOf(above: string, ...changes: readonly Change[]): ChangeLayer {
  const layer = new ChangeLayer(new AppendedKeys(appended), 100, above);
  for (const [key, bytes] of changes) layer.set(key, bytes);
  return layer;
}

const open = (engine: ScriptedEngine | MemoryEngine, aheadBytesMin = 1) =>
  WriteBehindBackend.open({ engine, timers, appended, aheadBytesMin });

/** All there is but the records of flushes. */
async function contents(engine: MemoryEngine): Promise<string[]> {
  const pairs = await engine.iterate({ gte: 'c', lt: '\xff' }).next(10_000);
  const own = pairs.filter(([key]) => key < flushKeys.gte || key >= flushKeys.lt);
  return own.map(([key, bytes]) => `${key}=${bytes.join()}`);
}

async function lastFlush(engine: MemoryEngine) {
  const all = await engine.iterate(flushKeys).next(1_000);
  return decodeFlush(...all.at(-1)!);
}

/** Three flushes, the second and third with history ahead: writes 2 to 6, behind the sync of the open. */
async function flushed(engine: ScriptedEngine): Promise<WriteBehindBackend> {
  const backend = await open(engine);
  for (let n = 1; n <= 3; n += 1) {
    backend.apply(
      [
        [`z${n}1`, byte(n)],
        ['ca', byte(n)],
        [`z${n}2`, byte(n)],
      ],
      n,
    );
    await backend.flush();
  }
  return backend;
}

describe('what goes ahead', () => {
  test('puts that ascend above all before; others and deletions go with the rest, in their order', () => {
    const older = layerOf(
      'z2',
      ['z3', byte(1)],
      ['ca', byte(1)],
      ['z1', byte(1)],
      ['z5', undefined],
    );
    const newer = layerOf('z5', ['z5', byte(2)], ['z6', byte(2)], ['z3', byte(2)], ['ca', byte(2)]);
    const parts = aheadOf([newer, older], 'z2', 1)!;
    expect([...putsOf(parts)]).toEqual([
      ['z3', byte(1)],
      ['z6', byte(2)],
    ]);
    expect([...changesOf([newer, older], undefined, restOf)]).toEqual([
      ['z1', byte(1)],
      ['z5', undefined],
      ['ca', byte(2)],
      ['z5', byte(2)],
      ['z3', byte(2)],
    ]);
    expect(parts.map(({ bytes }) => bytes)).toEqual([3, 3]);
  });

  test('is worth it with enough of it, and of the rest', () => {
    const layers = [layerOf('', ['z1', new Uint8Array(98)], ['c1', new Uint8Array(58)])];
    expect(aheadOf(layers, '', 60)).toHaveLength(1);
    expect(aheadOf(layers, '', 61)).toBeUndefined();
    expect(aheadOf([layerOf('', ['z1', byte(1)])], '', 1)).toBeUndefined();
    expect(aheadOf([layerOf('', ['c1', byte(1)])], '', 0)).toBeUndefined();
  });

  test('beside a layer that does not tell history from the rest, or one that may overlap: nothing', () => {
    const staged = new StagedLayer(async () => {});
    void staged.add([['z1', byte(1)]]);
    const layer = layerOf('z5', ['z9', byte(1)], ['c1', byte(1)]);
    expect(aheadOf([layer, staged], '', 0)).toBeUndefined();
    expect(aheadOf([layer, layerOf('', ['z6', byte(1)])], '', 0)).toBeUndefined();
    expect(aheadOf([layer], 'z6', 0)).toBeUndefined();
    expect(aheadOf([layer], 'z5', 0)).toHaveLength(1);
  });

  test('any changes, both batches written, look-ups meanwhile -> what one batch would have left', () => {
    const key = fc.constantFrom('ca', 'k1', 'z1', 'z2', 'z3', 'z4', 'z5');
    const bytes = fc.option(fc.nat(255).map(byte), { nil: undefined });
    const layers = fc.array(fc.array(fc.tuple(key, bytes), { maxLength: 8 }), { maxLength: 4 });
    let split = 0;
    fc.assert(
      fc.property(layers, fc.constantFrom('', 'z1', 'z3'), fc.nat(6), (lists, top, askAt) => {
        const all: ChangeLayer[] = [];
        for (const changes of lists) {
          all.unshift(layerOf(all[0]?.ahead.highest ?? top, ...changes));
        }
        const [once, twice] = [new Map<string, string>(), new Map<string, string>()];
        let left = askAt;
        const write = (to: Map<string, string>, changes: Iterable<Change>) => {
          for (const [at, value] of changes) {
            if (value === undefined) to.delete(at);
            else to.set(at, value.join());
            left -= 1;
            // Somebody looks something up meanwhile.
            if (left === 0) for (const layer of all) layer.get('z1');
          }
        };
        const parts = aheadOf(all, top, 0);
        if (parts !== undefined) {
          split += 1;
          const puts = [...putsOf(parts)].map(([at]) => at);
          expect(puts).toEqual([...new Set(puts)].sort());
          write(twice, putsOf(parts));
        }
        write(twice, changesOf(all, undefined, parts === undefined ? undefined : restOf));
        write(once, changesOf(all));
        expect([...twice].sort()).toEqual([...once].sort());
        for (const name of ['ca', 'k1', 'z1', 'z2', 'z3', 'z4', 'z5']) {
          expect(heldIn(all, name)?.join()).toBe(once.get(name));
        }
        const cursor = new LayerCursor(all, { gte: 'c', lt: '~' });
        const walked: string[] = [];
        for (let at = cursor.next(); at !== undefined; at = cursor.next()) {
          if (at[1] !== null) walked.push(`${at[0]}=${at[1].join()}`);
        }
        expect(walked).toEqual([...once].map(([at, value]) => `${at}=${value}`).sort());
      }),
      { numRuns: 500 },
    );
    expect(split).toBeGreaterThan(100);
  });

  test('keys of history are those that may', () => {
    expect(historyKey({ revision: 1, sub: 0 }).startsWith(aheadUnit)).toBe(true);
    expect(historyUnits).toContain(aheadUnit);
    expect(closedKey('\xff', { revision: 1, sub: 0 }) < aheadUnit).toBe(true);
  });
});

describe('a crash', () => {
  test('between the two batches -> the state before, without what went ahead', async () => {
    const engine = new ScriptedEngine();
    const backend = await flushed(engine);
    const before = await contents(engine.inner);
    engine.hold = true;
    const changes = Array.from(
      { length: 2_500 },
      (_, n) => [`z4${String(n).padStart(4, '0')}`, byte(4)] as const,
    );
    backend.apply([['ca', byte(4)], ['z11', undefined], ...changes], 4);
    timers.advance(1_000);
    await engine.release();
    expect(engine.isWriting).toBe(true);
    expect(await contents(engine.inner)).toHaveLength(before.length + 2_500);
    engine.inner.crash();
    const next = engine.inner.reopen();
    const again = await open(next);
    expect(again.openedIndex).toBe(3);
    expect(await contents(next)).toEqual(before);
    // Applied again, as the log says.
    again.apply([['ca', byte(4)], ['z11', undefined], ...changes], 4);
    await again.flush();
    expect(await contents(next)).toHaveLength(before.length - 1 + 2_500);
    expect((await open(next.reopen())).openedIndex).toBe(4);
  });

  test('before the rest of the first flush -> nothing had gone ahead', async () => {
    const engine = new ScriptedEngine();
    engine.hold = true;
    const backend = await open(engine);
    backend.apply(
      [
        ['z1', byte(1)],
        ['c1', byte(1)],
      ],
      1,
    );
    timers.advance(1_000);
    await engine.release();
    expect(engine.isWriting).toBe(false);
    expect((await lastFlush(engine.inner)).proofs).toEqual([]);
    expect((await open(engine.inner.reopen())).openedIndex).toBe(1);
  });

  test('a key that is put and deleted again goes ahead and is deleted: nothing is left of it', async () => {
    const engine = new ScriptedEngine();
    const backend = await flushed(engine);
    backend.apply(
      [
        ['z9', byte(9)],
        ['c1', byte(1)],
      ],
      4,
    );
    backend.apply([['z9', undefined]], 5);
    await backend.flush();
    expect(await contents(engine.inner)).not.toContain('z9=9');
    expect((await lastFlush(engine.inner)).top).toBe('z9');
  });
});

describe('a batch that went ahead and was lost', () => {
  test.each([3, 5])('write %i, of those that follow the first -> STATE_CORRUPT', async (write) => {
    const engine = new ScriptedEngine();
    engine.forget.add(write - 1);
    await flushed(engine);
    const error = await open(engine.inner.reopen()).catch((e: unknown) => e);
    expect(error).toSatisfy(stateCorrupt);
    expect(String(error)).toMatch(/the batch that went ahead of flush [23] is missing/);
  });

  test('all of it was deleted since -> nothing to miss', async () => {
    const engine = new ScriptedEngine();
    const backend = await flushed(engine);
    backend.apply([['z21', undefined]], 4);
    await backend.flush();
    expect(await lastFlush(engine.inner)).toMatchObject({ proofs: [], spent: ['z21'] });
    backend.apply([['z22', undefined]], 5);
    await backend.flush();
    expect(await lastFlush(engine.inner)).toMatchObject({ proofs: [], spent: ['z22'] });
    const next = engine.inner.reopen();
    expect((await open(next)).openedIndex).toBe(5);
    await next.write(
      [
        ['z31', undefined],
        ['z32', undefined],
      ],
      { sync: true },
    );
    await expect(open(next.reopen())).rejects.toSatisfy(stateCorrupt);
  });

  test('what was put again since hides nothing', async () => {
    const engine = new ScriptedEngine();
    engine.forget.add(4);
    const backend = await flushed(engine);
    backend.apply([['z31', byte(9)]], 4);
    await backend.flush();
    await expect(open(engine.inner.reopen())).rejects.toSatisfy(stateCorrupt);
  });

  test('is known by some of its keys, without a pattern, and by the highest', async () => {
    for (const count of [1, 63, 64, 1_000, 30_000]) {
      const sample = new KeySample();
      const random = new Prng(count);
      for (let n = 0; n < count; n += 1) sample.add(`${n}`, randomInt(random, 2 ** 32));
      expect(sample.keys.length).toBeLessThan(64);
      expect(sample.keys.length).toBeGreaterThanOrEqual(Math.min(count, 16));
      if (count < 64) continue;
      for (const stride of [2, 3, 4, 8]) {
        expect(sample.keys.every((key) => Number(key) % stride === 0)).toBe(false);
      }
    }
    const engine = new ScriptedEngine();
    await flushed(engine);
    expect((await lastFlush(engine.inner)).proofs).toEqual(['z31', 'z32']);
  });

  test('is forgotten once no log of the engine can hold it', async () => {
    const engine = new ScriptedEngine();
    const backend = await flushed(engine);
    const big = new Uint8Array(17 * 1024 * 1024);
    for (let n = 4; n <= 9; n += 1) {
      backend.apply([['cb', big]], n);
      await backend.flush();
    }
    expect((await lastFlush(engine.inner)).oldest).toBeGreaterThan(3);
    const next = engine.inner.reopen();
    await next.write([['z22', undefined]], { sync: true });
    expect((await open(next)).openedIndex).toBe(9);
  });

  test('a state that was opened without history lists keeps the highest key', async () => {
    const engine = new ScriptedEngine();
    await (await flushed(engine)).close();
    const next = engine.inner.reopen();
    const plain = await WriteBehindBackend.open({ engine: next, timers });
    plain.apply([['z4', byte(4)]], 4);
    await plain.flush();
    await plain.close();
    const again = next.reopen();
    expect((await open(again)).openedIndex).toBe(4);
    expect(await contents(again)).toContain('z4=4');
  });
});
