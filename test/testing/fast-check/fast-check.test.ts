// Simulated clusters as properties: whole ones hold, a planted bug is found and made small.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fcCommands,
  fcMachineCommands,
  fcScenario,
} from '../../../src/testing/fast-check/index.js';
import { machineCluster, simulate, storeCluster } from '../../../src/testing/index.js';
import { Bank, type BankCommand, bankOf } from '../machine/bank.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const numRuns = Math.max(1, Math.round(4 * depth));
const seed = Number(process.env.KONTIKI_SEED ?? 11);

class Forgetful extends Bank {
  override restore(snapshot: Uint8Array): void {
    super.restore(snapshot);
    this.count = 0;
  }
}

describe('fcScenario', { timeout: 120_000 }, () => {
  test('scenarios -> in bounds, faults in order of time', () => {
    const options = { durationMsMax: 2_000, faultsMax: 4, members: 5, faults: ['pause'] as const };
    fc.assert(
      fc.property(fcScenario(options), (scenario) => {
        const times = scenario.faults.map(({ atMs }) => atMs);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        expect(Math.max(0, ...times)).toBeLessThan(scenario.durationMs);
        expect(scenario.durationMs).toBeLessThanOrEqual(2_000);
        expect(scenario.faults.length).toBeLessThanOrEqual(4);
        expect(scenario.faults.every(({ fault }) => fault.kind === 'pause')).toBe(true);
        expect(scenario.members).toBe(5);
      }),
      { seed },
    );
  });

  test('any scenario -> a store holds', async () => {
    const property = fc.asyncProperty(fcScenario({ durationMsMax: 1_500 }), async (scenario) => {
      (await simulate({ scenario })).assert();
    });
    await fc.assert(property, { numRuns: Math.ceil(numRuns / 2), seed });
  });

  test('a snapshot that forgets -> found, and only the faults that it takes are left', async () => {
    const machine = bankOf(() => new Forgetful());
    const faults = ['crash', 'partition', 'pause'] as const;
    const scenarios = fcScenario({ durationMsMax: 2_000, faults, members: 1 });
    let runs = 0;
    const found = await fc.check(
      fc.asyncProperty(scenarios, async (scenario) => {
        // Enough to find it and to make it small; the rest would only round times.
        runs += 1;
        fc.pre(runs <= 40);
        (await simulate({ scenario, machine })).assert();
      }),
      { numRuns: 30, seed },
    );
    const [scenario] = found.counterexample ?? [];
    expect(scenario?.faults.length).toBeLessThanOrEqual(2);
    expect(scenario?.faults.map(({ fault }) => fault.kind)).toContain('crash');
  });
});

describe('fcCommands', { timeout: 120_000 }, () => {
  test('any commands -> stores hold', async () => {
    const property = fc.asyncProperty(fcCommands(), fc.nat(), (commands, at) =>
      commands.run(storeCluster({ seed: at })),
    );
    await fc.assert(property, { numRuns: 2 * numRuns, seed });
  });

  test('a disk that lies -> a write, a power cut and little else', async () => {
    const found = await fc.check(
      fc.asyncProperty(fcCommands(), async (commands) => {
        const cluster = storeCluster({ seed: 1, members: 1 });
        cluster.machine('n1').disk.lyingSyncs = true;
        await commands.run(cluster);
      }),
      { numRuns: 60, seed },
    );
    expect(found.failed).toBe(true);
    const counterexample = String(found.counterexample?.[0]);
    expect(counterexample).toMatch(/power/);
    expect(counterexample.split('),').length).toBeLessThanOrEqual(6);
  });
});

describe('fcMachineCommands', { timeout: 120_000 }, () => {
  const input: fc.Arbitrary<BankCommand> = fc.record({
    account: fc.constantFrom('a', 'b'),
    amount: fc.integer({ min: -5, max: 10 }),
  });

  const propertyOf = (create: () => Bank) => {
    const machine = bankOf(create);
    const sequences = fcMachineCommands(input, machine.model, { maxCommands: 80 });
    return fc.asyncProperty(sequences, (commands) =>
      commands.run(machineCluster({ seed: 3, machine })),
    );
  };

  test('any commands -> a right machine holds', async () => {
    await fc.assert(
      propertyOf(() => new Bank()),
      { numRuns, seed },
    );
  });

  test('a machine that counts wrongly in one case -> the case', async () => {
    class Careless extends Bank {
      override apply(command: Uint8Array) {
        const answer = super.apply(command);
        if (!answer.done) this.count += 1;
        return answer;
      }
    }
    const found = await fc.check(
      propertyOf(() => new Careless()),
      { numRuns: 30, seed },
    );
    expect(found.failed).toBe(true);
    expect(String(found.counterexample?.[0])).toMatch(
      /^Propose\({"account":"a","amount":-\d}\) by \d,Propose\(.*?\) by \d \/\*replayPath/,
    );
  });
});
