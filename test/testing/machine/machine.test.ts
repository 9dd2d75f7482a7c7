// Whole runs of state machines that are not ours: a right one holds, and each defect is found.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fcMachineCommands } from '../../../src/testing/fast-check/index.js';
import { machineCluster, simulate } from '../../../src/testing/index.js';
import { Bank, type BankCommand, bankOf } from './bank.js';
import { engineCounter } from './engine-counter.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const firstSeed = Number(process.env.KONTIKI_SEED ?? 100);
const seeds = Array.from({ length: Math.max(1, Math.round(3 * depth)) }, (_, at) => firstSeed + at);

/** The first violation of a defect within some seeds. */
async function firstFound(create: () => Bank, seedsMax = 12) {
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const run = await simulate({ seed, machine: bankOf(create), duration: '8s', members: 3 });
    if (run.violation !== undefined) return run;
  }
  throw new Error(`not found within ${seedsMax} seeds`);
}

describe("a state machine of one's own", { timeout: 120_000 }, () => {
  const machine = bankOf(() => new Bank());

  test.each(seeds)("seed %i, all faults -> every answer is the model's", async (seed) => {
    const run = await simulate({ seed, machine, duration: '10s' });
    run.assert();
    expect(run.figures['calls.ok']).toBeGreaterThan(0);
  });

  test('the same seed -> the same trace', async () => {
    const options = { seed: 3, machine, duration: '3s' } as const;
    const [first, second] = [await simulate(options), await simulate(options)];
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.figures).toEqual(first.figures);
  });

  test('short logs, a member that is away -> it gets a snapshot, and answers as the others', async () => {
    const tuning = {
      retention: { entriesMin: 4, bytesMin: 0, bytesMax: 1_024 },
      segmentBytes: 16_384,
    };
    let restored = 0;
    class Counting extends Bank {
      override restore(snapshot: Uint8Array): void {
        restored += 1;
        super.restore(snapshot);
      }
    }
    const cluster = machineCluster({ seed: 5, machine: bankOf(() => new Counting()), tuning });
    await cluster.startAll();
    const { sim } = cluster;
    const pay = (command: BankCommand, by = 'n1') =>
      sim.complete(cluster.service(by).propose(command), 20_000);
    cluster.crash('n3', 'process');
    for (let at = 1; at <= 400; at += 1) {
      expect(await pay({ account: 'a', amount: 1 })).toEqual({
        done: true,
        balance: at,
        count: at,
      });
    }
    // The log is cut once a minute has passed without a word of the member that is away.
    await sim.run(70_000);
    await sim.complete(cluster.start('n3'), 10_000);
    // What it had written itself is restored by now.
    restored = 0;
    await sim.runUntil(() => cluster.isSettled(), 20_000);
    expect(restored).toBeGreaterThan(0);
    expect(await pay({ account: 'a', amount: 1 }, 'n3')).toMatchObject({
      balance: 401,
      count: 401,
    });
  });
});

describe('a defect is found', { timeout: 120_000 }, () => {
  test.each([
    ['nothing', () => undefined],
    ['only whether it was done', ({ done }: { readonly done: boolean }) => ({ done })],
  ])('a machine that answers %s', async (_, told) => {
    class Silent extends Bank {
      override apply(command: Uint8Array): ReturnType<Bank['apply']> {
        return told(super.apply(command)) as ReturnType<Bank['apply']>;
      }
    }
    expect((await firstFound(() => new Silent(), 1)).violation?.id).toBe('X1.wrong-answer');
    const commands = fcMachineCommands(
      fc.record({ account: fc.constant('a'), amount: fc.constant(1) }),
      bankOf(() => new Silent()).model,
    );
    const property = fc.asyncProperty(commands, (each) =>
      each.run(machineCluster({ seed: 1, machine: bankOf(() => new Silent()) })),
    );
    const { failed } = await fc.check(property, { numRuns: 10, seed: 1, endOnFailure: true });
    expect(failed).toBe(true);
  });

  test('a snapshot forgets a field', async () => {
    class Forgetful extends Bank {
      override restore(snapshot: Uint8Array): void {
        super.restore(snapshot);
        this.count = 0;
      }
    }
    const { violation } = await firstFound(() => new Forgetful());
    expect(['M6', 'X1.wrong-answer']).toContain(violation?.id);
  });

  test('apply looks at something that is not in the entry', async () => {
    const made: Bank[] = [];
    class Moody extends Bank {
      readonly #isMoody = made.push(this) % 3 === 0;

      override apply(command: Uint8Array) {
        const answer = super.apply(command);
        if (this.#isMoody && this.count % 50 === 0) this.count += 1;
        return answer;
      }
    }
    const { violation } = await firstFound(() => new Moody());
    expect(violation?.id).toBe('M6');
    expect(violation?.message).toContain('led to different results');
  });

  test('every member is wrong in the same way', async () => {
    class Generous extends Bank {
      override apply(command: Uint8Array) {
        const answer = super.apply(command);
        return answer.done ? answer : { ...answer, done: answer.balance % 7 === 3 };
      }
    }
    const run = await firstFound(() => new Generous());
    expect(run.violation?.id).toBe('X1.wrong-answer');
    expect(run.violation?.message).toContain('"done":false');
  });

  test('apply throws', async () => {
    class Brittle extends Bank {
      override apply(command: Uint8Array) {
        if (this.count === 40) throw new Error('too many commands');
        return super.apply(command);
      }
    }
    const { violation } = await firstFound(() => new Brittle(), 3);
    expect(violation?.id).toBe('ASSERTION');
    expect(violation?.message).toContain('too many commands');
  });

  test('shrunk -> a smaller scenario breaks the same, and the failure tells how to run it', async () => {
    class Forgetful extends Bank {
      override snapshot(): Uint8Array {
        this.balances.delete('a0');
        return super.snapshot();
      }
    }
    const machine = bankOf(() => new Forgetful());
    const run = await simulate({ seed: 1, machine, duration: '8s', keys: 2, pause: 20 });
    const small = await run.shrink({ runsMax: 12 });
    expect(small.violation?.id).toBe(run.violation?.id);
    expect(JSON.stringify(small.scenario).length).toBeLessThan(JSON.stringify(run.scenario).length);
    const again = await simulate({ scenario: small.scenario, machine });
    expect(again.traceHash).toBe(small.traceHash);
    expect(() => again.assert()).toThrow(
      expect.objectContaining({
        code: 'INVARIANT_VIOLATED',
        id: small.violation?.id,
        seed: 1,
        scenario: small.scenario,
        source: expect.stringContaining('simulate({ scenario, machine })'),
      }),
    );
  });
});

describe('a whole state machine, on an engine of its own', { timeout: 120_000 }, () => {
  test('index and data in one batch -> every answer is right', async () => {
    const machine = engineCounter('one batch');
    for (let seed = 1; seed <= 3; seed += 1) {
      const run = await simulate({ seed, machine, duration: '6s', faults: ['crash', 'power-cut'] });
      run.assert();
      expect(run.figures['calls.ok']).toBeGreaterThan(0);
    }
  });

  test('index and data in two batches -> found', async () => {
    const machine = engineCounter('two batches');
    const faults = ['crash', 'crash-at', 'power-cut'] as const;
    const found: string[] = [];
    for (let seed = 1; seed <= 12 && found.length === 0; seed += 1) {
      const { violation } = await simulate({ seed, machine, duration: '8s', faults });
      if (violation !== undefined) found.push(violation.id);
    }
    expect(['M6', 'X1.wrong-answer']).toContain(found[0]);
  });
});
