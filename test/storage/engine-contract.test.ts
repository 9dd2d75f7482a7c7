/** What every key-value engine must do, on each engine there is. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import type { EnginePair, KeyRange, KvEngine } from '../../src/storage/kv-engine.js';
import { openLevel } from '../../src/storage/level/index.js';
import { MemoryEngine } from '../../src/storage/memory/kv-engine.js';

const everything: KeyRange = { gte: '', lt: '\xff'.repeat(9) };
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

async function readAll(
  engine: KvEngine,
  range: KeyRange & { readonly reverse?: boolean },
  chunk = 7,
): Promise<[string, number[]][]> {
  const cursor = engine.iterate(range);
  const out: EnginePair[] = [];
  for (;;) {
    const pairs = await cursor.next(chunk);
    if (pairs.length === 0) break;
    expect(pairs.length).toBeLessThanOrEqual(chunk);
    out.push(...pairs);
  }
  await cursor.close();
  return out.map(([key, value]) => [key, [...value]]);
}

let folder: string;
let memory: MemoryEngine | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kontiki-'));
  memory = undefined;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function openMemory(): Promise<KvEngine> {
  memory = memory === undefined ? new MemoryEngine() : memory.reopen();
  return memory;
}

const engines = [
  ['memory', openMemory],
  ['classic-level', openClassicLevel],
  ['level', openLevel],
] as const;

describe.each(engines)('%s engine', (name, openAt) => {
  const open = () => openAt(join(folder, 'engine'));

  test('order: every byte value and runs of 0xff -> sorted as bytes, both ways', async () => {
    const engine = await open();
    const keys = Array.from({ length: 256 }, (_, unit) => String.fromCharCode(unit));
    for (const key of [...keys]) keys.push(`a${key}`, `${key}\xff\xff`, `\xff\xff${key}`);
    const shuffled = [...new Set(keys)].sort((a, b) => a.length - b.length || (a < b ? 1 : -1));
    await engine.write(
      shuffled.map((key, at) => [key, bytes(at & 0xff)]),
      { sync: false },
    );
    const sorted = [...shuffled].sort((a, b) => (a < b ? -1 : 1));
    const up = await readAll(engine, everything, 100);
    expect(up.map(([key]) => key)).toEqual(sorted);
    const down = await readAll(engine, { ...everything, reverse: true }, 100);
    expect(down).toEqual([...up].reverse());
    await engine.close();
  });

  test('bounds: gte inclusive, lt exclusive, crossed bounds -> nothing', async () => {
    const engine = await open();
    const batch = ['a', 'b', 'b\0', 'c'].map((key) => [key, bytes(1)] as const);
    await engine.write(batch, { sync: false });
    const keys = async (range: KeyRange, reverse: boolean) =>
      (await readAll(engine, { ...range, reverse }, 1)).map(([key]) => key);
    expect(await keys({ gte: 'b', lt: 'c' }, false)).toEqual(['b', 'b\0']);
    expect(await keys({ gte: 'b', lt: 'c' }, true)).toEqual(['b\0', 'b']);
    expect(await keys({ gte: 'c', lt: 'b' }, false)).toEqual([]);
    expect(await keys({ gte: 'c', lt: 'b' }, true)).toEqual([]);
    await engine.close();
  });

  test('batch: puts, deletes and an empty value -> all take effect, in order', async () => {
    const engine = await open();
    await engine.write([['a', bytes(1)]], { sync: false });
    const batch = [
      ['a', undefined],
      ['b', bytes()],
      ['c', bytes(3)],
      ['c', bytes(4)],
      ['nothing', undefined],
    ] as const;
    await engine.write(batch, { sync: true });
    const found = await engine.getMany(['c', 'a', 'b', 'c']);
    expect(found.map((value) => value && [...value])).toEqual([[4], undefined, [], [4]]);
    await engine.close();
  });

  test('views: a write after the call -> neither cursor nor getMany sees it', async () => {
    const engine = await open();
    const pairs = Array.from({ length: 300 }, (_, at) => [`k${1000 + at}`, bytes(1)] as const);
    await engine.write(pairs, { sync: false });
    const cursor = engine.iterate(everything);
    const values = engine.getMany(['k1000', 'k1299', 'new']);
    const changed = pairs.map(([key], at) => [key, at % 2 ? undefined : bytes(2)] as const);
    const write = engine.write([...changed, ['new', bytes(9)]], { sync: true });
    const first = await cursor.next(10);
    await write;
    const rest = await cursor.next(1_000);
    await cursor.close();
    await cursor.close();
    expect([...first, ...rest].map(([key, value]) => [key, value[0]])).toEqual(
      pairs.map(([key]) => [key, 1]),
    );
    expect((await values).map((value) => value?.[0])).toEqual([1, 1, undefined]);
    expect(await readAll(engine, everything, 1_000)).toHaveLength(151);
    await engine.close();
  });

  test('reopen: after a close -> everything is there; closed engines refuse', async () => {
    const engine = await open();
    await engine.write([['a\x80\xff', bytes(1, 2, 255)]], { sync: true });
    await engine.close();
    await engine.close();
    await expect(engine.getMany(['a'])).rejects.toSatisfy((e) => isKontikiError(e, 'CLOSED'));
    const again = await open();
    expect(await readAll(again, everything)).toEqual([['a\x80\xff', [1, 2, 255]]]);
    await again.close();
  });

  test('random batches: against a plain map -> same contents', async () => {
    const key = fc.string({ unit: fc.constantFrom('a', '\0', '\xff', '\x80'), maxLength: 3 });
    const value = fc.option(fc.uint8Array({ maxLength: 3 }), { nil: undefined });
    const batches = fc.array(fc.array(fc.tuple(key, value), { maxLength: 20 }), { maxLength: 6 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(batches, key, key, fc.boolean(), async (writes, gte, lt, reverse) => {
        run += 1;
        const engine =
          name === 'memory' ? new MemoryEngine() : await openAt(join(folder, `run-${run}`));
        const model = new Map<string, number[]>();
        for (const batch of writes) {
          for (const [at, put] of batch) {
            if (put === undefined) model.delete(at);
            else model.set(at, [...put]);
          }
          await engine.write(batch, { sync: false });
        }
        const expected = [...model].filter(([at]) => at >= gte && at < lt);
        expected.sort(([a], [b]) => (a < b !== reverse ? -1 : 1));
        expect(await readAll(engine, { gte, lt, reverse }, 2)).toEqual(expected);
        await engine.close();
      }),
      { numRuns: name === 'memory' ? 200 : 15 },
    );
  });
});

describe.each(engines.slice(1))('%s engine on disk', (_name, openAt) => {
  test('a folder that is open already -> DIR_LOCKED', async () => {
    const engine = await openAt(join(folder, 'engine'));
    await expect(openAt(join(folder, 'engine'))).rejects.toSatisfy((e) =>
      isKontikiError(e, 'DIR_LOCKED'),
    );
    await engine.close();
  });

  test('a folder whose parent is a file -> STORAGE_IO with its cause', async () => {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(join(folder, 'file'), 'x');
    const error = await openAt(join(folder, 'file', 'engine')).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'STORAGE_IO', cause: expect.anything() });
  });

  test('a manifest that is gone -> STATE_CORRUPT or STORAGE_IO, never an empty engine', async () => {
    const { readdir } = await import('node:fs/promises');
    const engine = await openAt(join(folder, 'engine'));
    await engine.write([['a', bytes(1)]], { sync: true });
    await engine.close();
    const names = await readdir(join(folder, 'engine'));
    const manifest = names.find((name) => name.startsWith('MANIFEST'));
    await rm(join(folder, 'engine', manifest ?? ''));
    await expect(openAt(join(folder, 'engine'))).rejects.toSatisfy(
      (e) => isKontikiError(e, 'STATE_CORRUPT') || isKontikiError(e, 'STORAGE_IO'),
    );
  });
});

test('memory engine: crash -> forgets what was not synced, closes, and reopens', async () => {
  const engine = new MemoryEngine();
  await engine.write([['a', bytes(1)]], { sync: true });
  await engine.write([['b', bytes(2)]], { sync: false });
  const late = engine.write([['a', undefined]], { sync: true });
  engine.crash();
  await expect(late).rejects.toSatisfy((e) => isKontikiError(e, 'CLOSED'));
  await expect(engine.getMany(['a'])).rejects.toSatisfy((e) => isKontikiError(e, 'CLOSED'));
  expect(await readAll(engine.reopen(), everything)).toEqual([['a', [1]]]);
});
