// Descriptors run out for real, in a process with a low limit: whatever fails says so, nothing that was
// acknowledged is lost, and once there are some again the store goes on, or opens again.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ScarceReport } from './scarce-report.js';

/** Enough to load the program, few enough to use up. */
const limit = 256;
const child = fileURLToPath(new URL('scarce-child.ts', import.meta.url));

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(`${tmpdir()}/kontiki-descriptors-`);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function run(scenario: string): Promise<ScarceReport> {
  const command = `ulimit -n ${limit}; exec "$0" --import tsx "$1" "$2" ${scenario}`;
  const { stdout } = await promisify(execFile)('sh', [
    ...['-c', command, process.execPath, child, `${dir}/data`],
  ]);
  return JSON.parse(stdout) as ScarceReport;
}

const noneLeft = { code: 'STORAGE_IO', message: expect.stringContaining('EMFILE') };

describe.skipIf(process.platform === 'win32')(
  'no descriptor left (skipped unless there is ulimit)',
  () => {
    test('for the next segment -> STORAGE_IO; opened again: all that was acknowledged', async () => {
      const { acknowledged, during, read, keys, after } = await run('roll');
      expect(during.failure).toMatchObject(noneLeft);
      expect(during.acknowledged.length).toBeGreaterThan(5);
      // The member has stopped: it does not serve what it can not count on.
      expect(read).toMatchObject(noneLeft);
      expect(keys).toEqual(expect.arrayContaining([...acknowledged]));
      // The put that failed has an unknown outcome.
      expect(keys.length - acknowledged.length).toBeLessThanOrEqual(1);
      expect(after).toMatchObject({ acknowledged: { length: 50 } });
    });

    test('for a while, before the next segment is needed -> nothing fails', async () => {
      const { acknowledged, during, keys, after } = await run('pass');
      expect(during.failure).toBeUndefined();
      expect(after).toMatchObject({ acknowledged: { length: 50 } });
      expect([...keys].sort()).toEqual([...acknowledged].sort());
    });

    test('to open with, or one, or two, ... -> STORAGE_IO until there are enough, none kept', async () => {
      const { acknowledged, refused, keys, after, leaked } = await run('openings');
      // Each further one gets the opening further.
      expect(refused.length).toBeGreaterThan(3);
      for (const { code, message } of refused) {
        expect(code).toBe('STORAGE_IO');
        expect(message).toMatch(/EMFILE|Too many open files/);
      }
      expect(keys).toEqual(acknowledged);
      expect(after).toMatchObject({ acknowledged: { length: 50 } });
      expect(leaked).toBe(0);
    });
  },
);
