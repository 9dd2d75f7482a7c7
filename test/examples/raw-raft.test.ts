// Goal: the driver that docs/api/raft.md shows is complete, and short enough to be read.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { run } from '../../examples/raw-raft/main.js';

test('the example: an election, a handover -> every member applied the same', async () => {
  const lines: string[] = [];
  const applied = await run((line) => lines.push(line));
  expect(applied).toEqual(Array.from({ length: 3 }, () => ['a=1', 'b=2', 'a=3', 'c=4']));
  expect(lines).toHaveLength(6);
});

test('its driver fits on a page', () => {
  const url = new URL('../../examples/raw-raft/driver.ts', import.meta.url);
  expect(readFileSync(url, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(60);
});
