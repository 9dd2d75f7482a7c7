/**
 * Counts that learn against a plain set of keys: whatever comes, goes and is read at the same time,
 * every count is that of the moment of its call.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StoredRecord } from '../../src/mvcc/backend.js';
import { CountPages } from '../../src/storage/count-pages.js';
import type { KeyRange } from '../../src/storage/kv-engine.js';
import { countRange } from '../../src/storage/range-count.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const noValue = new Uint8Array(0);
const all: KeyRange = { gte: 'c', lt: 'd' };
const keyOf = (n: number): string => `c${String(n).padStart(6, '0')}`;

/** The truth, read as slowly as the test wants. */
class SlowKeys {
  readonly keys = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  pieceKeys = 1;
  /** Keys handed out so far. */
  read = 0;

  among({ gte, lt }: KeyRange): string[] {
    return [...this.keys].filter((key) => key >= gte && key < lt).sort((a, b) => (a < b ? -1 : 1));
  }

  /** What is under way goes on by a step. */
  async step(): Promise<void> {
    for (const go of this.#waiting.splice(0)) go();
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }

  /** As `ReadPieces` says. */
  readonly pieces = async (
    range: KeyRange,
    take: (records: readonly StoredRecord[]) => void,
  ): Promise<void> => {
    const found = this.among(range);
    this.read += found.length;
    for (let at = 0; at < found.length || at === 0; at += this.pieceKeys) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      const piece = found.slice(at, at + this.pieceKeys);
      take(piece.map((key): StoredRecord => [key, noValue]));
    }
  };
}

async function finished<T>(slow: SlowKeys, promise: Promise<T>): Promise<T> {
  let isDone = false;
  const end = promise.finally(() => {
    isDone = true;
  });
  while (!isDone) await slow.step();
  return end;
}

const numbers = fc.integer({ min: 0, max: 40 });
const ranges = fc.tuple(numbers, numbers).map(([a, b]): KeyRange => {
  if (a === b) return all;
  return { gte: keyOf(Math.min(a, b)), lt: keyOf(Math.max(a, b)) };
});
const steps = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('turn' as const), at: numbers }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('count' as const), range: ranges }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('step' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), range: ranges }) },
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

interface World {
  readonly slow: SlowKeys;
  readonly pages: CountPages;
}

/** The key comes if it is not there, and goes if it is. */
function turnKey({ slow, pages }: World, key: string): void {
  const isThere = slow.keys.delete(key);
  if (!isThere) slow.keys.add(key);
  pages.changed(key, isThere ? -1 : 1);
}

/** Every other key of the range changes, and nobody says which. */
function changeAll({ slow, pages }: World, { gte, lt }: KeyRange): void {
  const inside = Array.from({ length: 41 }, (_, n) => keyOf(n)).filter((k) => k >= gte && k < lt);
  for (const key of inside.filter((_, n) => n % 2 === 0)) {
    if (!slow.keys.delete(key)) slow.keys.add(key);
  }
  const [first] = inside;
  if (first !== undefined) pages.forget(first, inside.at(-1) as string);
}

async function play(world: World, script: readonly Step[]): Promise<void> {
  const { slow, pages } = world;
  const counts: (readonly [found: Promise<number>, expected: number])[] = [];
  for (const step of script) {
    if (step.do === 'turn') turnKey(world, keyOf(step.at));
    else if (step.do === 'forget') changeAll(world, step.range);
    else if (step.do === 'step') await slow.step();
    else {
      const expected = slow.among(step.range).length;
      counts.push([countRange(pages, step.range, slow.pieces), expected]);
    }
    expect(pages.size).toBeLessThanOrEqual(world.pages.pageKeys === 1 ? 12 : 1_000);
  }
  for (const [found, expected] of counts) expect(await finished(slow, found)).toBe(expected);
  for (const from of [0, 3, 17]) {
    const range = { gte: keyOf(from), lt: keyOf(from + 20) };
    const found = await finished(slow, countRange(pages, range, slow.pieces));
    expect(found).toBe(slow.among(range).length);
  }
}

describe('counts that learn', () => {
  test('keys come and go while counts read -> each count is of its moment', {
    timeout: 30_000 * depth,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { maxLength: 80, size: 'max' }),
        fc.constantFrom(1, 2, 3, 7),
        fc.constantFrom(1, 3, 50),
        async (script, pageKeys, pieceKeys) => {
          const slow = new SlowKeys();
          slow.pieceKeys = pieceKeys;
          for (let n = 0; n < 41; n += 2) slow.keys.add(keyOf(n));
          const pagesMax = pageKeys === 1 ? 12 : undefined;
          await play({ slow, pages: new CountPages(all, { pageKeys, pagesMax }) }, script);
        },
      ),
      { numRuns: 500 * depth },
    );
  });

  test('a count reads a range once, and then only what is left of pages at its ends', async () => {
    const slow = new SlowKeys();
    slow.pieceKeys = 1_000;
    for (let n = 0; n < 10_000; n += 1) slow.keys.add(keyOf(n));
    const pages = new CountPages(all);
    const count = (range: KeyRange) => finished(slow, countRange(pages, range, slow.pieces));
    expect([await count(all), slow.read]).toEqual([10_000, 10_000]);
    expect([await count(all), slow.read]).toEqual([10_000, 10_000]);
    expect(await count({ gte: keyOf(77), lt: keyOf(9_001) })).toBe(8_924);
    expect(slow.read - 10_000).toBeLessThan(2 * 128);
    // Half of it comes anew at one place: read once more there, and in pages again.
    for (let n = 20_000; n < 25_000; n += 1) turnKey({ slow, pages }, keyOf(n));
    const before = slow.read;
    expect(await count({ gte: keyOf(21_000), lt: keyOf(30_000) })).toBe(4_000);
    const learned = slow.read;
    expect(learned - before).toBe(4_000);
    expect(await count({ gte: keyOf(21_500), lt: keyOf(30_000) })).toBe(3_500);
    expect(slow.read - learned).toBeLessThan(128);
  });

  test('more pages than are kept -> joined, and the counts are right', async () => {
    const slow = new SlowKeys();
    slow.pieceKeys = 1_000;
    for (let n = 0; n < 2_000; n += 1) slow.keys.add(keyOf(n));
    const pages = new CountPages(all, { pageKeys: 2, pagesMax: 100 });
    const count = (range: KeyRange) => finished(slow, countRange(pages, range, slow.pieces));
    expect(await count(all)).toBe(2_000);
    expect(pages.size).toBeLessThanOrEqual(100);
    expect(pages.size).toBeGreaterThan(10);
    const read = slow.read;
    expect(await count({ gte: keyOf(500), lt: keyOf(1_500) })).toBe(1_000);
    expect(slow.read - read).toBeLessThan(200);
  });

  test('a read that failed -> the count fails, and the next one is right', async () => {
    const slow = new SlowKeys();
    for (let n = 0; n < 10; n += 1) slow.keys.add(keyOf(n));
    const pages = new CountPages(all, { pageKeys: 2 });
    const failing = async () => {
      throw new Error('disk');
    };
    await expect(countRange(pages, all, failing)).rejects.toThrow('disk');
    turnKey({ slow, pages }, keyOf(50));
    expect(await finished(slow, countRange(pages, all, slow.pieces))).toBe(11);
    expect(pages.size).toBeGreaterThan(1);
  });

  test('keys that are not those that were counted -> said, and not added up', async () => {
    const slow = new SlowKeys();
    for (let n = 0; n < 6; n += 1) slow.keys.add(keyOf(n));
    const pages = new CountPages(all, { pageKeys: 2 });
    const count = (range: KeyRange) => finished(slow, countRange(pages, range, slow.pieces));
    expect(await count(all)).toBe(6);
    for (let n = 100; n < 103; n += 1) slow.keys.add(`${keyOf(2)}.${n}`);
    const corrupt = { code: 'STATE_CORRUPT' };
    await expect(count({ gte: `${keyOf(2)}.`, lt: keyOf(3) })).rejects.toMatchObject(corrupt);
    const narrow = () => count({ gte: keyOf(4), lt: keyOf(5) });
    for (let n = 0; n < 2; n += 1) pages.changed(keyOf(0), -1);
    expect(await narrow()).toBe(1);
    pages.changed(keyOf(0), -1);
    await expect(narrow()).rejects.toMatchObject(corrupt);
  });

  test('a wide count beside narrow ones learns, and reads few stretches', async () => {
    const slow = new SlowKeys();
    for (let n = 0; n < 400; n += 1) slow.keys.add(keyOf(n));
    const pages = new CountPages(all, { pageKeys: 4 });
    const narrow = countRange(pages, { gte: keyOf(1), lt: keyOf(2) }, slow.pieces);
    expect(await finished(slow, countRange(pages, all, slow.pieces))).toBe(400);
    expect([await finished(slow, narrow), pages.size]).toEqual([1, 100]);
    for (let n = 0; n < 400; n += 20) pages.forget(keyOf(n), keyOf(n));
    expect(pages.survey(all).stretches).toHaveLength(1);
    expect(await finished(slow, countRange(pages, all, slow.pieces))).toBe(400);
  });

  test('keys too long to be bounds, an empty range -> counted all the same', async () => {
    const slow = new SlowKeys();
    slow.pieceKeys = 100;
    for (let n = 0; n < 20; n += 1) slow.keys.add(`${keyOf(n)}${'x'.repeat(n < 10 ? 300 : 0)}`);
    const pages = new CountPages(all, { pageKeys: 1 });
    const count = (range: KeyRange) => finished(slow, countRange(pages, range, slow.pieces));
    expect(await count(all)).toBe(20);
    expect(pages.size).toBe(11);
    expect(await count({ gte: keyOf(3), lt: keyOf(15) })).toBe(12);
    expect(await countRange(pages, { gte: keyOf(3), lt: keyOf(3) }, slow.pieces)).toBe(0);
  });
});
