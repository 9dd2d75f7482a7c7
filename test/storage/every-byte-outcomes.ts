/** What became of every damaged copy of a folder, counted by outcome. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/**
 * @param child - a module that calls `damageEach`
 * @param folder - with the original in `good`
 * @param stride - every so many cases; odd, so that flips and cuts both come up
 * @param legal - outcomes that may be
 */
export function outcomesOfDamage(options: {
  readonly child: URL;
  readonly folder: string;
  readonly stride: number;
  readonly legal: RegExp;
}): ReadonlyMap<string, number> {
  const { child, folder, legal, stride } = options;
  const outcomes = new Map<string, number>();
  for (let next = 0, isOver = false; !isOver; ) {
    const args = ['--import', 'tsx', fileURLToPath(child), folder, String(next), String(stride)];
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    isOver = stdout.endsWith('end\n');
    const lines = stdout.split('\n').filter((line) => line !== '' && line !== 'end');
    if (lines.length === 0 && !isOver) expect.fail('the child says nothing');
    for (const line of lines) {
      const [at = '', file = '', what = '', told] = line.split(' ');
      // LevelDB 1.20 is built with its assertions on: opened unverified, some damage of a table ends
      // the process, and some of it goes unnoticed.
      const outcome = told === undefined || told === '' ? 'aborted' : told;
      if (!legal.test(outcome)) expect.fail(`${file} ${what}: ${outcome}`);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      next = Number(at) + stride;
    }
  }
  return outcomes;
}
