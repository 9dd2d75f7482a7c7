// Batches that members forward: each is taken note of once, over any number of lives of a member.
import { describe, expect, test } from 'vitest';
import { SeenBatches } from '../../src/node/seen-batches.js';

describe('seen batches', () => {
  test('a batch again -> not new; of another member, the next one, an older one that was late: new', () => {
    const seen = new SeenBatches();
    expect([seen.isNew(1, 100), seen.isNew(1, 100), seen.isNew(2, 100)]).toEqual([
      true,
      false,
      true,
    ]);
    expect([seen.isNew(1, 103), seen.isNew(1, 102), seen.isNew(1, 103)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('4,096 behind the newest -> not new, whether it was seen or not', () => {
    const seen = new SeenBatches();
    for (let id = 10_000; id <= 15_000; id += 2) expect(seen.isNew(1, id)).toBe(true);
    expect([15_000 - 4_096, 15_000 - 4_095, 15_000 - 4_094].map((id) => seen.isNew(1, id))).toEqual(
      [false, true, false],
    );
  });

  test('a new life of the member, which begins elsewhere -> new', () => {
    const seen = new SeenBatches();
    expect([seen.isNew(1, 2 ** 52), seen.isNew(1, 7), seen.isNew(1, 8)]).toEqual([
      true,
      true,
      true,
    ]);
  });
});
