/**
 * Storage on this machine's disk, part by part: snapshot files, the write-behind backend, and two loops
 * that must not grow: overwrites of the same keys, and open, write, truncate, close. The log's own
 * figures are in `bench/wal.ts`.
 *
 * Run: `npm run bench -- storage`, or `npx tsx bench/storage/main.ts [seconds] [folder]`. The loops want
 * more time than the rest: they have doors of their own, `storage/overwrites` and `storage/reopen`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Benchmark, BenchmarkOptions } from '../benchmark.js';
import { formatTable } from '../table.js';
import { run as overwrites } from './overwrites.js';
import { run as reopen } from './reopen.js';
import { reporter } from './report.js';
import { snapshots } from './snapshots.js';
import { writeBehind } from './write-behind.js';

export const run: Benchmark = async (options: BenchmarkOptions) => {
  const { seconds, folder, record } = options;
  const base = mkdtempSync(`${folder}/kontiki-bench-storage-`);
  const { rows, report } = reporter(record);
  try {
    await snapshots(base, report);
    await writeBehind(base, seconds, report);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
  console.log(formatTable(['storage', 'figure'], rows));
  console.log('\noverwrites of the same keys');
  await overwrites({ ...options, seconds: 4 * seconds });
  console.log('\nopen, write, truncate, snapshot, prune, close');
  await reopen({ ...options, seconds: 4 * seconds });
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , seconds = '5', folder = tmpdir()] = process.argv;
  await run({ seconds: Number(seconds), folder, record: () => {} });
}
