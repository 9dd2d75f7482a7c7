// A transport delivers at most once. A machine without sessions is not to be blamed for one that does not.
import { expect, test } from 'vitest';
import { type PlainMachineSpec, simulate } from '../../../src/testing/index.js';
import type { Scenario } from '../../../src/testing/run/scenario.js';
import { scenarioOf } from '../../../src/testing/run/simulate-options.js';
import { type Add, type SumsByKey, sums } from './sums.js';

/** The machine of docs/guides/testing-your-state-machine.md. */
class Counters {
  #sums = new Map<string, number>();

  apply(bytes: Uint8Array): number {
    const { key, by } = JSON.parse(new TextDecoder().decode(bytes));
    const sum = (this.#sums.get(key) ?? 0) + by;
    this.#sums.set(key, sum);
    return sum;
  }

  snapshot(): Uint8Array {
    return new TextEncoder().encode(JSON.stringify([...this.#sums]));
  }

  restore(bytes: Uint8Array): void {
    this.#sums = new Map(JSON.parse(new TextDecoder().decode(bytes)));
  }
}

const machine: PlainMachineSpec<SumsByKey, Add, number> = {
  create: () => new Counters(),
  ...sums,
};

const repeats = ({ faults }: Scenario): boolean =>
  faults.some(({ fault }) => fault.kind === 'repeated-forwards');

test('simulate: a right machine, a seed whose writes would come again under another leader -> holds', async () => {
  const run = await simulate({ seed: 31, machine });
  run.assert();
}, 60_000);

test('simulate: a machine, no kinds named -> no writes that come again; named, or stores -> they do', () => {
  const spec = machine as PlainMachineSpec<unknown, unknown, unknown>;
  const seeds = Array.from({ length: 100 }, (_, at) => at);
  expect(seeds.filter((seed) => repeats(scenarioOf({ seed, machine: spec })))).toEqual([]);
  const faults = ['repeated-forwards'] as const;
  expect(seeds.some((seed) => repeats(scenarioOf({ seed, machine: spec, faults })))).toBe(true);
  expect(seeds.some((seed) => repeats(scenarioOf({ seed })))).toBe(true);
});
