import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { limits } from '../../src/base/limits.js';
import { recordRoom } from '../../src/mvcc/record-room.js';
import { FlushedRecords } from '../../src/storage/flushed-records.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { ManualTimers } from './manual-timers.js';
import { ScriptedEngine } from './scripted-engine.js';

const value = (n: number, size = 1): Uint8Array => new Uint8Array(size).fill(n);
const MiB = 1024 * 1024;
const kept = { prefix: 'c', bytesMax: MiB };

const pause = async () => undefined;

async function flushed(
  records: FlushedRecords,
  ...changes: [string, Uint8Array | null][]
): Promise<void> {
  records.begin();
  for (const [key, bytes] of changes) records.note(key, bytes);
  await records.written(pause);
}

describe('what was flushed lately', () => {
  test('noted and not written yet, or begun again -> not known', async () => {
    const records = new FlushedRecords(kept);
    await flushed(records, ['ca', value(1)]);
    records.begin();
    records.note('ca', value(2));
    records.note('cb', value(2));
    expect([records.get('ca'), records.get('cb')]).toEqual([value(1), undefined]);
    records.begin();
    await records.written(pause);
    expect([records.get('ca'), records.get('cb')]).toEqual([value(1), undefined]);
  });

  test('a deletion -> known to be gone; a key of others -> not known', async () => {
    const records = new FlushedRecords(kept);
    await flushed(records, ['ca', value(1)], ['ha', value(1)]);
    await flushed(records, ['ca', null]);
    expect([records.get('ca'), records.get('ha')]).toEqual([null, undefined]);
  });

  test('a record too large to be kept -> the one before is forgotten, in either generation', async () => {
    const records = new FlushedRecords({ prefix: 'c', bytesMax: 16_000 });
    await flushed(records, ['ca', value(1)], ['cb', value(1)]);
    await flushed(records, ...Array.from({ length: 60 }, (_, n) => [`cx${n}`, value(1)] as never));
    await flushed(records, ['cb', value(2)], ['ca', value(2, 1_000)], ['cb', value(3, 1_000)]);
    expect([records.get('ca'), records.get('cb')]).toEqual([undefined, undefined]);
  });

  test('cleared -> nothing is known, nor what is noted by now', async () => {
    const records = new FlushedRecords(kept);
    await flushed(records, ['ca', value(1)]);
    records.begin();
    records.note('cb', value(1));
    records.clear();
    await records.written(pause);
    expect([records.get('ca'), records.get('cb')]).toEqual([undefined, undefined]);
  });

  test('more than there is room for -> the newest half stays, the rest is not known', async () => {
    const { flushedRecordsBytes: bytesMax } = limits;
    const records = new FlushedRecords({ prefix: 'c', bytesMax });
    const count = bytesMax / 1_024;
    for (let n = 0; n < 2 * count; n += 1) await flushed(records, [`c${n}`, value(1, 1_024)]);
    let known = 0;
    for (let n = 0; n < 2 * count; n += 1) if (records.get(`c${n}`) !== undefined) known += 1;
    expect(known * 1_024).toBeLessThanOrEqual(bytesMax);
    expect(known * 1_024).toBeGreaterThan(bytesMax / 4);
    expect(records.get(`c${2 * count - 1}`)).toEqual(value(1, 1_024));
  });

  test('records cut from blocks of others, few of which stay -> hold no more than twice their bytes', async () => {
    const bytesMax = MiB;
    const records = new FlushedRecords({ prefix: 'c', bytesMax });
    const names: string[] = [];
    for (let flush = 0; flush < 200; flush += 1) {
      const changes: [string, Uint8Array][] = [];
      for (let nth = 0; nth < 1_000; nth += 1) {
        const bytes = recordRoom(84);
        if (nth % 90 === 0) changes.push([`c${flush}/${nth}`, bytes.fill(nth % 251)]);
      }
      for (const [name] of changes) names.push(name);
      await flushed(records, ...changes);
    }
    const buffers = new Set<ArrayBufferLike>();
    for (const name of names) {
      const found = records.get(name);
      if (found === undefined || found === null) continue;
      expect(found).toEqual(new Uint8Array(84).fill(Number(name.split('/')[1]) % 251));
      buffers.add(found.buffer);
    }
    let held = 0;
    for (const { byteLength } of buffers) held += byteLength;
    expect(held).toBeGreaterThan(84 * 1_000);
    expect(held).toBeLessThan(2 * bytesMax);
  });

  test('many keys in one flush -> taken over in several turns', async () => {
    const records = new FlushedRecords({ prefix: 'c', bytesMax: 64 * MiB });
    records.begin();
    for (let n = 0; n < 10_000; n += 1) records.note(`c${n}`, null);
    let pauses = 0;
    const turn = async () => {
      pauses += 1;
    };
    await records.written(turn);
    expect(pauses).toBe(2);
    expect([records.get('c0'), records.get('c9999')]).toEqual([null, null]);
  });

  test.each([32_768, 32_769, 70_000])(
    '%i keys in one flush -> right or not known',
    async (count) => {
      const records = new FlushedRecords({ prefix: 'c', bytesMax: 64 * MiB });
      await flushed(records, ['c0', value(1)], ['cz', value(1)]);
      const changes = Array.from({ length: count }, (_, n) => [`c${n}`, null] as [string, null]);
      await flushed(records, ...changes);
      const isTaken = count <= 32_768;
      expect(records.get('c0')).toBe(isTaken ? null : undefined);
      expect(records.get('cz')).toEqual(isTaken ? value(1) : undefined);
      expect(records.get(`c${count - 1}`)).toBe(null);
      await flushed(records, ['c0', value(2)]);
      expect(records.get('c0')).toEqual(value(2));
    },
  );

  test('random flushes, written or not, of random sizes -> what a plain map says, or nothing', async () => {
    const key = fc.integer({ min: 0, max: 30 }).map((n) => `c${n}`);
    const bytes = fc.option(
      fc
        .tuple(fc.nat({ max: 255 }), fc.constantFrom(1, 100, 1_500))
        .map(([n, size]) => value(n, size)),
    );
    const changes = fc.uniqueArray(fc.tuple(key, bytes), {
      selector: ([name]) => name,
      maxLength: 12,
      size: 'max',
    });
    const step = fc.record({
      changes,
      end: fc.constantFrom('written', 'written', 'lost', 'cleared'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40, size: 'max' }),
        fc.constantFrom(0, 16_000, 120_000),
        async (steps, bytesMax) => {
          const records = new FlushedRecords({ prefix: 'c', bytesMax });
          const engine = new Map<string, Uint8Array | null>();
          for (const { changes: noted, end } of steps) {
            records.begin();
            for (const [name, record] of noted) records.note(name, record);
            if (end === 'written') {
              await records.written(pause);
              for (const [name, record] of noted) engine.set(name, record);
            } else if (end === 'cleared') records.clear();
            for (let n = 0; n <= 30; n += 1) {
              const found = records.get(`c${n}`);
              if (found !== undefined) expect(found).toBe(engine.get(`c${n}`));
            }
            const last = noted.at(-1);
            const isSmall = last !== undefined && (last[1]?.length ?? 0) < 1_500;
            if (end === 'written' && isSmall && bytesMax > 0)
              expect(records.get(last[0])).toEqual(last[1]);
          }
        },
      ),
    );
  });
});

describe('a backend that keeps them', () => {
  test('a key that was flushed, put or deleted -> answered at once, nothing asked of the engine', async () => {
    const engine = new ScriptedEngine();
    const backend = await WriteBehindBackend.open({ engine, timers: new ManualTimers(), kept });
    backend.apply(
      [
        ['ca', value(1)],
        ['cb', value(1)],
        ['ha', value(1)],
      ],
      1,
    );
    backend.apply([['cb', undefined]], 2);
    await backend.flush();
    engine.keysAsked = [];
    const found = backend.read({ keys: ['ca', 'cb'], ranges: [] });
    expect(found).toEqual({ records: [value(1), undefined], ranges: [] });
    expect((await backend.read({ keys: ['ca', 'ha'], ranges: [] })).records).toEqual([
      value(1),
      value(1),
    ]);
    expect(engine.keysAsked).toEqual(['ha']);
    await backend.close();
  });

  test('many keys, flushed twice -> never the ones of before, on any turn', async () => {
    const timers = new ManualTimers();
    const engine = new ScriptedEngine();
    const backend = await WriteBehindBackend.open({
      engine,
      timers,
      kept: { ...kept, bytesMax: 64 * MiB },
    });
    const names = Array.from({ length: 10_000 }, (_, n) => `c${n}`);
    for (const nth of [1, 2, 3]) {
      backend.apply(
        names.map((name) => [name, value(nth)] as const),
        nth,
      );
      let isOver = false;
      const flush = backend.flush().then(() => {
        isOver = true;
      });
      const last = () => backend.read({ keys: ['c0', 'c9999'], ranges: [] });
      for (let turn = 0; !isOver && turn < 1_000; turn += 1) {
        expect(last()).toEqual({ records: [value(nth), value(nth)], ranges: [] });
        await Promise.resolve();
        if (turn % 5 === 0) timers.advance(0);
      }
      expect(isOver).toBe(true);
      expect(last()).toEqual({ records: [value(nth), value(nth)], ranges: [] });
      await flush;
    }
    await backend.close();
  });

  test.each([false, true])(
    'a flush without space, whose batch the engine opened again has: %s -> never what was before',
    async (isThere) => {
      const timers = new ManualTimers();
      const engines = [new ScriptedEngine()];
      const newest = () => engines.at(-1) as ScriptedEngine;
      const backend = await WriteBehindBackend.open({
        ...{ engine: newest(), timers, kept },
        reopening: {
          hasSpace: async () => true,
          open: async () => {
            engines.push(new ScriptedEngine(newest().inner.reopen()));
            return newest();
          },
        },
      });
      backend.apply(
        [
          ['ca', value(1)],
          ['cb', value(1)],
          ['cc', value(1)],
        ],
        1,
      );
      await backend.flush();
      const { write } = newest();
      newest().write = async (batch, options) => {
        if (isThere) await write.call(newest(), batch, options);
        else for (const _ of batch);
        throw kontikiError('NO_SPACE', 'the disk is full');
      };
      backend.apply(
        [
          ['ca', value(2)],
          ['cb', undefined],
        ],
        2,
      );
      const read = async () =>
        (await backend.read({ keys: ['ca', 'cb', 'cc'], ranges: [] })).records;
      const flush = backend.flush();
      for (let turn = 0; turn < 100; turn += 1) {
        expect(await read()).toEqual([value(2), undefined, value(1)]);
        timers.advance(100);
      }
      await flush;
      expect(engines.length).toBe(2);
      // Of another engine nothing is known: it is asked.
      newest().keysAsked = [];
      expect(await read()).toEqual([value(2), undefined, value(1)]);
      expect(newest().keysAsked).toContain('cc');
      await backend.close();
    },
  );
});
