// Commands that nobody can encode: calls that never reach a member are no calls that hold.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fcMachineCommands } from '../../../src/testing/fast-check/index.js';
import { machineCluster, type PlainMachineSpec, simulate } from '../../../src/testing/index.js';

/** By a bigint, which JSON does not know. */
interface Step {
  readonly by: bigint;
}

const machine: PlainMachineSpec<number, Step, number> = {
  create: () => ({
    apply: () => 0,
    snapshot: () => new Uint8Array(),
    restore: () => undefined,
  }),
  draw: () => ({ by: 1n }),
  model: {
    initial: () => 0,
    execute: (state) => ({ state: state + 1, answer: state + 1 }),
  },
};

test('simulate -> X5, which says what is wrong with them', async () => {
  const { violation } = await simulate({ seed: 1, machine, duration: '5s' });
  expect(violation?.id).toBe('X5');
  expect(violation?.message).toContain('BigInt');
});

test('fcMachineCommands -> the property fails with the error itself', async () => {
  const input = fc.constant({ by: 1n });
  const commands = fcMachineCommands(input, machine.model, { maxCommands: 10 });
  const property = fc.asyncProperty(commands, fc.nat(), (each, seed) =>
    each.run(machineCluster({ seed, machine })),
  );
  const found = await fc.check(property, { numRuns: 5, seed: 1, endOnFailure: true });
  expect(found.failed).toBe(true);
  expect(String(found.errorInstance)).toMatch(/^TypeError/);
});
