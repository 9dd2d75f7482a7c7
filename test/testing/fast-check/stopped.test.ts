// Goal: a member that stops by itself fails the sequence of commands, whatever becomes of it afterwards.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fcMachineCommands } from '../../../src/testing/fast-check/index.js';
import { machineCluster } from '../../../src/testing/index.js';
import { Bank, bankOf } from '../machine/bank.js';

test.each([3, 58])(
  'seed %i: a machine throws in one life of one member -> S1, which names it',
  async (seed) => {
    let hasThrown = false;
    class Once extends Bank {
      override apply(command: Uint8Array) {
        const answer = super.apply(command);
        if (this.count < 3 || hasThrown) return answer;
        hasThrown = true;
        throw new TypeError('my own mistake');
      }
    }
    const spec = bankOf(() => new Once());
    const input = fc.record({ account: fc.constantFrom('a'), amount: fc.nat({ max: 5 }) });
    const fcCommands = fcMachineCommands(input, spec.model, { maxCommands: 80 });
    const [commands] = fc.sample(fcCommands, { numRuns: 1, seed });
    const cluster = machineCluster({ seed, machine: spec });
    const run = commands?.run(cluster);
    await expect(run).rejects.toMatchObject({
      id: 'S1',
      message: expect.stringContaining('my own mistake'),
    });
    expect(hasThrown).toBe(true);
  },
);
