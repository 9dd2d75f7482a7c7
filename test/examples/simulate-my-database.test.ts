// Goal: the planted bug of the example is found and made small, and without it nothing is found.
import { expect, test } from 'vitest';
import { machine } from '../../examples/simulate-my-database/machine.js';
import { findBug } from '../../examples/simulate-my-database/main.js';
import { Seats } from '../../examples/simulate-my-database/seats.js';
import { simulate } from '../../src/testing/index.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);

/** The table with the line that is missing. */
class WholeSeats extends Seats {
  override snapshot(): Uint8Array {
    const state = { holders: [...this.holders], lines: [...this.lines] };
    return new TextEncoder().encode(JSON.stringify(state));
  }
}

test('the table as it is -> the bug is found, and a smaller scenario is printed', {
  timeout: 120_000,
}, async () => {
  const lines: string[] = [];
  const found = await findBug(machine, 10, (line) => lines.push(line));
  expect(found?.violation?.id).toMatch(/^(M6|X1\.wrong-answer)$/);
  expect(found?.scenario.faults.length).toBeLessThanOrEqual(2);
  expect(lines.at(-1)).toContain("import { machine } from './machine.js';");
  const again = await simulate({ scenario: found!.scenario, machine });
  expect(again.traceHash).toBe(found?.traceHash);
});

test('the table with the missing line -> all seeds hold, and so does the scenario', {
  timeout: 120_000,
}, async () => {
  const whole = { ...machine, create: () => new WholeSeats() };
  const lines: string[] = [];
  const seeds = Math.max(1, Math.round(4 * depth));
  expect(await findBug(whole, seeds, (line) => lines.push(line))).toBeUndefined();
  expect(lines).toHaveLength(seeds + 1);
});
