// A disk that is full for real: a small one of memory, in a mount namespace of the child's own.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ScarceReport } from './scarce-report.js';

const child = fileURLToPath(new URL('scarce-child.ts', import.meta.url));
const mount = 'mount -t tmpfs -o size=40m kontiki "$0"';

/** Whether this user may mount anything, in a namespace that nobody else sees. */
function mayMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'sh', '-c', mount, tmpdir()], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(`${tmpdir()}/kontiki-full-`);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function run(scenario: string): Promise<ScarceReport> {
  const command = `${mount} && exec "$1" --import tsx "$2" "$0/data" ${scenario}`;
  const args = ['-m', 'sh', '-c', command, dir, process.execPath, child];
  const { stdout } = await promisify(execFile)('unshare', args);
  return JSON.parse(stdout) as ScarceReport;
}

// Without the right to mount: test/storage/wal/no-space has the same on files in memory.
describe.skipIf(!mayMount())('a full disk (skipped unless this user may mount)', () => {
  test('nearly: no room for the zeros ahead -> puts are rejected, reads served, until there is room', async () => {
    const { acknowledged, during, read, same, keys, after } = await run('nearly-full');
    expect(during).toMatchObject({ failure: { code: 'NO_SPACE', outcome: 'rejected' } });
    expect(read).toBe('served');
    expect(same).toMatchObject({ acknowledged: { length: 50 } });
    // Rejected is rejected: nothing is there but what was acknowledged.
    expect([...keys].sort()).toEqual([...acknowledged].sort());
    expect(after).toMatchObject({ acknowledged: { length: 50 } });
  });

  test('to the last byte -> log and state wait, reads are served, and all goes on with the space', async () => {
    const { acknowledged, during, read, same, keys, after } = await run('full');
    // What was on its way when the space ended may come later.
    expect(['NO_SPACE', 'TIMEOUT']).toContain(during.failure?.code);
    expect(read).toBe('served');
    expect(same).toMatchObject({ acknowledged: { length: 50 } });
    expect(keys).toEqual(expect.arrayContaining([...acknowledged]));
    expect(keys.length - acknowledged.length).toBeLessThanOrEqual(1);
    expect(after).toMatchObject({ acknowledged: { length: 50 } });
  });
});
