// What reads hold that nobody waits for, while a state machine stands still.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import { Reads } from '../../src/node/reads.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

test('a leader that proves its leadership while nothing is applied -> an answer that nobody waits for is not kept', () => {
  const reads = new Reads(new Prng(1));
  const rounds = (count: number): void => {
    for (let nth = 0; nth < count; nth += 1) {
      reads.probe();
      // Committed up to 10, applied up to 5: the disk of the state is full.
      reads.confirmed({ readId: reads.takeByQuorum(nth), index: 10 }, 5);
      reads.sweep(nth - 5_000);
    }
  };
  rounds(100);
  gc();
  const before = process.memoryUsage().heapUsed;
  rounds(20_000);
  gc();
  expect(reads.pending).toBe(0);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(800_000);
});
