/**
 * P4 and P5: the keyspace alone on LevelDB. What leases and watches take is in `bench/lease.ts` and
 * `bench/watch.ts`.
 *
 * Run: `npm run bench -- mvcc [--seconds N] [--full]`, or `npx tsx bench/mvcc/main.ts [seconds]`.
 * `--full` takes minutes: 2 million keys, and a compaction of a million revisions.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Benchmark, BenchmarkOptions } from '../benchmark.js';
import { formatTable } from '../table.js';
import { compaction, type PutLatency } from './compaction.js';
import { rates } from './rates.js';
import { volume } from './volume.js';

type Record = BenchmarkOptions['record'];

const kilo = (perSecond: number | undefined): string =>
  perSecond === undefined ? '' : (perSecond / 1_000).toFixed(1);

async function showRates(folder: string, seconds: number, record: Record): Promise<void> {
  const found = await rates(folder, 200_000, seconds);
  const rows = found.map(({ measure, perSecond, cpuUs, bar, etcdUs }) => {
    record({ measure, subject: 'kontiki', value: perSecond, unit: '1/s' });
    record({ measure, subject: 'kontiki', value: cpuUs, unit: 'us of processor' });
    const etcd = etcdUs === undefined ? '' : etcdUs.toFixed(1);
    return [measure, kilo(perSecond), kilo(bar), cpuUs.toFixed(2), etcd];
  });
  const header = ['keyspace on LevelDB', 'k/s', 'bar', 'processor us', 'etcd mvcc us'];
  console.log(formatTable(header, rows));
}

async function showVolume(folder: string, keys: number, record: Record): Promise<void> {
  console.log(`\n${keys} keys of 256 B`);
  const found = await volume(folder, keys);
  for (const { measure, value, unit } of found) {
    record({ measure, subject: `${keys} keys`, value, unit });
  }
  console.log(
    formatTable(
      ['', '', ''],
      found.map(({ measure, value, unit }) => [measure, value.toFixed(0), unit]),
    ),
  );
}

async function showCompaction(folder: string, revisions: number, record: Record): Promise<void> {
  const { idle, compacting } = await compaction(folder, revisions);
  const row = (name: string, { median, p99, worst, puts, seconds }: PutLatency): string[] => {
    record({ measure: `worst put, ${name}`, subject: 'kontiki', value: worst, unit: 'ms' });
    return [
      name,
      median.toFixed(2),
      p99.toFixed(2),
      worst.toFixed(1),
      String(puts),
      seconds.toFixed(1),
    ];
  };
  const rows = [row('idle', idle), row(`${revisions} revisions are removed`, compacting)];
  console.log(`\n${formatTable(['put, 1 caller', 'p50 ms', 'p99', 'worst', 'puts', 's'], rows)}`);
}

export const run: Benchmark = async ({ seconds, folder, record, full = false }) => {
  const base = mkdtempSync(`${folder}/kontiki-bench-mvcc-`);
  try {
    await showRates(base, seconds, record);
    await showCompaction(base, full ? 1_000_000 : 50_000, record);
    await showVolume(base, full ? 2_000_000 : 100_000, record);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [seconds = '2', full] = process.argv.slice(2);
  await run({
    seconds: Number(seconds),
    folder: tmpdir(),
    record: () => {},
    full: full === '--full',
  });
}
