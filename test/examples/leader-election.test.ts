// Goal: the demo's processes hand leadership on, after a kill and after a resignation, and no job is lost,
// done twice, or done by somebody who leads no more.
import { expect, test } from 'vitest';
import { faultsOf, run } from '../../examples/leader-election/main.js';

test('the leader is killed, the next one resigns -> three leaders, jobs without a gap', {
  timeout: 90_000,
}, async () => {
  const lines: string[] = [];
  const outcome = await run((line) => lines.push(line));
  const { leaders, jobs } = outcome;
  expect(faultsOf(outcome), lines.join('\n')).toEqual([]);
  expect(new Set(leaders.map(({ name }) => name)).size).toBeGreaterThanOrEqual(3);
  expect(leaders.map(({ token }) => token)).toEqual(
    leaders.map(({ token }) => token).toSorted((a, b) => a - b),
  );
  expect(new Set(jobs.map(({ token }) => token)).size).toBeGreaterThanOrEqual(3);
  expect(lines.some((line) => line.includes('was killed'))).toBe(true);
});

test('jobs of two at once -> a fault', () => {
  const job = (number: number, token: number) => ({ number, token, by: 'n1' });
  expect(faultsOf({ leaders: [], jobs: [job(1, 5), job(2, 7), job(3, 5)] })).toHaveLength(1);
  expect(faultsOf({ leaders: [], jobs: [job(1, 5), job(3, 5)] })).toHaveLength(1);
});
