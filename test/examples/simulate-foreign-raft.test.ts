// Goal: invariants that know nothing of our core hold somebody else's Raft to the paper.
import { expect, test } from 'vitest';
import { runToy } from '../../examples/simulate-foreign-raft/main.js';

test('a sound toy -> no rule is broken, and it gets on', () => {
  let committed = 0;
  for (let seed = 1; seed <= 20; seed += 1) {
    const found = runToy(seed, false);
    expect(found, `seed ${seed}`).toBeTypeOf('number');
    committed += found as number;
  }
  expect(committed).toBeGreaterThan(100);
});

test('a toy that commits entries of earlier terms -> R11, within a few seeds', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const found = runToy(seed, true);
    if (typeof found === 'number') continue;
    expect(found.id).toBe('R11');
    return;
  }
  expect.fail('the planted bug was not found');
});
