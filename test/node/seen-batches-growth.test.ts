// What is remembered of the batches of members that are long gone.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { SeenBatches } from '../../src/node/seen-batches.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

test('members that come, forward and are removed, for months -> no more is held than of those there can be', () => {
  const seen = new SeenBatches();
  const forwardAs = (from: number): void => {
    for (let id = 2 ** 52; id < 2 ** 52 + 5_000; id += 1) seen.isNew(from, id);
  };
  const heap = (): number => {
    gc();
    return process.memoryUsage().heapUsed;
  };
  // Ids are never given again: each that joins has one of its own.
  for (let id = 1; id <= 2 * limits.membersMax; id += 1) forwardAs(id);
  const before = heap();
  for (let id = 1; id <= 300; id += 1) forwardAs(1_000 + id);
  const grown = heap() - before;
  expect(grown).toBeLessThan(10 * 2 ** 20);
  expect(seen.isNew(1_300, 2 ** 52 + 4_999)).toBe(false);
});
