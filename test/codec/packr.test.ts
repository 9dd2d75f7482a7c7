// What the coder brings along: a native addon would be loaded by whoever imports any part of the library.
import { expect, test } from 'vitest';
import '../../src/codec/packr.js';

test('loaded -> no native addon is', () => {
  const { sharedObjects } = process.report.getReport() as { sharedObjects: readonly string[] };
  expect(sharedObjects.length).toBeGreaterThan(0);
  expect(sharedObjects.filter((path) => path.includes('msgpackr'))).toEqual([]);
});
