// What is known of a defect is kept, added to, and forgotten when the defect becomes another one.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isSurvivor, medianSeeds, reportOf } from './sim/report.js';
import { Results } from './sim/results.js';
import type { SimDefect } from './sim/sim-defect.js';

const defect: SimDefect = { name: 'one', source: 'S1', file: 'a.ts', find: 'x', replace: 'y' };
const killer = { seed: 7, id: 'S1', message: 'lost' };
let dir = '';
let path = '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kontiki-results-'));
  path = join(dir, 'results.json');
});

afterEach(() => rm(dir, { recursive: true }));

test('ranges of several runs -> together, in order; the same range again -> replaced', async () => {
  const first = await Results.open(path, false);
  await first.add(defect, { first: 1_001, count: 10, seeds: undefined });
  await first.add(defect, { first: 1, count: 10, seeds: 7, killer });
  const later = await Results.open(path, false);
  await later.add(defect, { first: 1_001, count: 20, seeds: 15, killer });
  expect(later.huntsOf(defect).map(({ seeds }) => seeds)).toEqual([7, 15]);
  expect(JSON.parse(await readFile(path, 'utf8'))).toHaveProperty('one');
  expect((await Results.open(path, true)).huntsOf(defect)).toEqual([]);
});

test('a hunt -> known if it would end the same', async () => {
  const results = await Results.open(path, false);
  await results.add(defect, { first: 1, count: 10, seeds: undefined });
  expect(results.find(defect, 1, 10)).toBeDefined();
  expect(results.find(defect, 1, 11)).toBeUndefined();
  expect(results.find(defect, 2, 5)).toBeUndefined();
  await results.add(defect, { first: 1, count: 20, seeds: 15, killer });
  expect(results.find(defect, 1, 2_000)?.seeds).toBe(15);
  expect(results.find(defect, 1, 14)?.seeds).toBe(15);
});

test('a defect that has changed -> nothing is known of it', async () => {
  const results = await Results.open(path, false);
  await results.add(defect, { first: 1, count: 10, seeds: 7, killer });
  expect(results.huntsOf({ ...defect, replace: 'z' })).toEqual([]);
});

test('median -> over all ranges; survivors -> in a list of their own', () => {
  const hunt = (first: number, seeds: number | undefined) => ({ first, count: 50, seeds });
  expect(medianSeeds({ hunts: [hunt(1, 9), hunt(2, 3), hunt(3, undefined)] })).toBe(9);
  expect(
    medianSeeds({ hunts: [hunt(1, 9), hunt(2, undefined), hunt(3, undefined)] }),
  ).toBeUndefined();
  const survivor = { defect, hunts: [hunt(1, undefined)] };
  expect(isSurvivor(survivor)).toBe(true);
  expect(isSurvivor({ ...survivor, defect: { ...defect, equivalent: 'it is' } })).toBe(false);
  const elsewhere = 'a test of its own kills it';
  const unlikely = { ...survivor, defect: { ...defect, elsewhere } };
  expect(isSurvivor(unlikely)).toBe(false);
  expect(reportOf([unlikely])).toContain('1 killed by a test alone, 0 not killed so far');
  expect(reportOf([unlikely])).toContain(elsewhere);
  const report = reportOf([survivor]);
  expect(report).toContain('0 of 1 killed');
  expect(report).toContain('- one (S1): 50 seeds');
});
