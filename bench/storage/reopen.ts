/**
 * Does anything stay behind when a member is opened, written to, truncated and closed again and again?
 * Each round opens a store with small segments, puts until segments were removed from its log, makes
 * a snapshot of a state beside it, prunes and closes. Descriptors must be what they were, memory after
 * a collection and disk must level off.
 *
 * Run: `npm run bench -- storage/reopen --seconds 300`, or
 * `npx tsx bench/storage/reopen.ts [seconds] [folder]`.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { systemTimers } from '../../src/base/clock.js';
import type { Change } from '../../src/mvcc/backend.js';
import { systemEnv } from '../../src/preset/system-env.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { SnapshotFiles, WriteBehindBackend } from '../../src/storage/index.js';
import { nodeFileSystem as fs } from '../../src/storage/node-fs/index.js';
import type { Store } from '../../src/store/store.js';
import type { Benchmark, BenchmarkOptions } from '../benchmark.js';
import { descriptors, diskBytes, MiB, memory } from './gauges.js';
import { Progress } from './progress.js';

const segmentBytes = 256 * 1024;
const retention = { entriesMin: 10, bytesMin: segmentBytes, bytesMax: 2 * segmentBytes };
const keys = 100;
const stateRecords = 5_000;

/** What the mean of the last quarter may exceed that of the second by. */
const slack = 1.1;

interface Sample {
  readonly open: number;
  readonly resident: number;
  readonly heap: number;
  readonly disk: number;
}

async function openSmall(dir: string): Promise<Store> {
  const config = { ...storeConfig({ dir, tickMs: 5 }), tuning: { segmentBytes, retention } };
  return openStoreOn(await systemEnv(config), config);
}

const firstSegment = (dir: string): string => readdirSync(`${dir}/wal`).sort()[0] ?? '';

/** Opens, overwrites until the log was truncated, closes. */
async function storeRound(dir: string): Promise<void> {
  const store = await openSmall(dir);
  const first = firstSegment(dir);
  const value = new Uint8Array(4_096);
  do {
    const puts = Array.from({ length: keys }, (_, nth) => store.put(`key-${nth}`, value));
    await Promise.all(puts);
  } while (firstSegment(dir) === first);
  await store.compact(store.status().revision);
  await store.close();
}

/** Opens a state and snapshots beside it, writes one, prunes, closes. */
async function snapshotRound(dir: string): Promise<void> {
  const engine = await openClassicLevel(`${dir}/state`, { fs });
  const backend = await WriteBehindBackend.open({ engine, timers: systemTimers });
  const index = backend.openedIndex + 1;
  const value = new Uint8Array(256);
  backend.apply(
    Array.from({ length: stateRecords }, (_, nth): Change => [`c${nth}`, value]),
    index,
  );
  const sha256 = () => createHash('sha256');
  const snapshots = await SnapshotFiles.open({ fs, dir: `${dir}/snapshots`, sha256 });
  const sink = await snapshots.create({ index, term: 1 }, { voters: [1] });
  const view = backend.capture();
  for (let records = await view.next(500); records.length > 0; records = await view.next(500)) {
    for (const [, bytes] of records) await sink.write(bytes);
  }
  await view.close();
  await sink.commit();
  await snapshots.prune();
  await snapshots.close();
  await backend.close();
}

async function measure(dir: string, seconds: number): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const progress = new Progress(
    ['s', 'rounds', 'descriptors', 'resident', 'heap', 'disk'],
    'MiB after each interval, memory after a collection',
  );
  const everyMs = (seconds * 1_000) / 20;
  const begin = performance.now();
  let rounds = 0;
  for (let nth = 1; nth <= 20; nth += 1) {
    do {
      await storeRound(`${dir}/store`);
      await snapshotRound(`${dir}/parts`);
      rounds += 1;
    } while (performance.now() - begin < nth * everyMs);
    const sample = { open: descriptors(), ...memory(), disk: diskBytes(dir) };
    samples.push(sample);
    const sizes = [sample.resident, sample.heap, sample.disk];
    progress.line([
      ((performance.now() - begin) / 1_000).toFixed(0),
      String(rounds),
      String(sample.open),
      ...sizes.map((bytes) => (bytes / MiB).toFixed(1)),
    ]);
  }
  return samples;
}

export const run: Benchmark = async ({ seconds, folder, record }: BenchmarkOptions) => {
  const base = mkdtempSync(`${folder}/kontiki-bench-reopen-`);
  try {
    const samples = await measure(base, seconds);
    for (const name of ['open', 'resident', 'heap', 'disk'] as const) {
      const mean = (lo: number, hi: number) =>
        samples.slice(lo, hi).reduce((sum, sample) => sum + sample[name], 0) / (hi - lo);
      const [early, late] = [mean(5, 10), mean(15, 20)];
      const isFlat = late <= (name === 'open' ? early : slack * early);
      const [unit, scale] = name === 'open' ? ['', 1] : ['MiB', MiB];
      const figures = `${(early / scale).toFixed(1)} to ${(late / scale).toFixed(1)} ${unit}`;
      console.log(
        `${name}: mean ${figures.trim()} from the second quarter to the last: ${isFlat ? 'flat' : 'GROWS'}`,
      );
      record({ measure: `reopen ${name}`, subject: 'kontiki', value: late / scale, unit });
    }
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , seconds = '20', folder = tmpdir()] = process.argv;
  await run({ seconds: Number(seconds), folder, record: () => {} });
}
