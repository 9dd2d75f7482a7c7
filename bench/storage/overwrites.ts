/**
 * Does a member that only ever overwrites the same keys need more and more disk? A single member with
 * default sizes, callers that put the next of a fixed set of keys, history compacted once a second.
 * Each line: puts, what the directory occupies, and the bytes that went to disks for each byte put.
 *
 * Run: `npm run bench -- storage/overwrites --seconds 600`, or
 * `npx tsx bench/storage/overwrites.ts [seconds] [folder]`.
 *
 * A single member makes no snapshot, for nobody can be behind; `reopen.ts` writes and prunes them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { limits } from '../../src/base/limits.js';
import { openStore } from '../../src/preset/open-store.js';
import type { Store } from '../../src/store/store.js';
import type { Benchmark, BenchmarkOptions } from '../benchmark.js';
import { bytesWritten, diskBytes, MiB, memory } from './gauges.js';
import { Progress } from './progress.js';

const callers = 100;
const keys = 10_000;
const valueBytes = 1_024;
const keyBytes = 16;
/** Revisions that a compaction leaves. */
const revisionsKept = 10_000;

/** What is kept, a segment that is not all unneeded, the one that is written, and zeros ahead of it. */
const logBytesMax = limits.retainedBytesMin + 2 * limits.segmentBytes + limits.preallocateBytes;

/** What the state's last half may exceed its second quarter by: LevelDB's compactions come in waves. */
const slack = 1.25;

interface Sample {
  readonly puts: number;
  /** Bytes on disk. */
  readonly total: number;
  readonly log: number;
  readonly state: number;
}

async function put(store: Store, state: { puts: number; isOver: boolean }): Promise<void> {
  const value = new Uint8Array(valueBytes);
  while (!state.isOver) {
    const nth = state.puts;
    state.puts += 1;
    // Values that do not shrink when they are compressed.
    for (let at = 0; at < valueBytes; at += 1) value[at] = Math.imul(nth + at, 0x9e3779b1) >>> 24;
    await store.put(`key-${nth % keys}`.padEnd(keyBytes, '-'), value);
  }
}

async function compactFor(store: Store, state: { isOver: boolean }): Promise<void> {
  for (let next = 0; !state.isOver; ) {
    await pause(200);
    if (performance.now() < next) continue;
    next = performance.now() + 1_000;
    const revision = store.status().revision - revisionsKept;
    if (revision > 0) await store.compact(revision);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function measure(dir: string, seconds: number): Promise<readonly Sample[]> {
  const store = await openStore({ dir });
  const work = { puts: 0, isOver: false };
  const samples: Sample[] = [];
  const progress = new Progress(
    ['s', 'puts/s', 'disk', 'wal', 'state', 'snapshots', 'written/put', 'resident', 'heap'],
    'MiB; written/put: bytes to disks for each byte put',
  );
  const everyMs = Math.max(250, (seconds * 1_000) / 20);
  const begin = performance.now();
  await store.put('first', '');
  const working = [
    compactFor(store, work),
    ...Array.from({ length: callers }, () => put(store, work)),
  ];
  let before = { ms: begin, puts: 0, written: bytesWritten() };
  for (let nth = 1; nth * everyMs <= seconds * 1_000 + 1; nth += 1) {
    await pause(Math.max(0, begin + nth * everyMs - performance.now()));
    const now = { ms: performance.now(), puts: work.puts, written: bytesWritten() };
    const puts = (now.puts - before.puts) / ((now.ms - before.ms) / 1_000);
    const putBytes = (now.puts - before.puts) * (keyBytes + valueBytes);
    const parts = ['', '/wal', '/state', '/snapshots'].map((part) => diskBytes(`${dir}${part}`));
    const [total = 0, log = 0, state = 0] = parts;
    samples.push({ puts, total, log, state });
    const amplification = (now.written - before.written) / putBytes;
    const { resident, heap } = memory();
    progress.line([
      ((now.ms - begin) / 1_000).toFixed(0),
      puts.toFixed(0),
      ...parts.map((bytes) => (bytes / MiB).toFixed(1)),
      amplification.toFixed(2),
      (resident / MiB).toFixed(0),
      (heap / MiB).toFixed(0),
    ]);
    before = now;
  }
  work.isOver = true;
  await Promise.all(working);
  await store.close();
  return samples;
}

function verdict(samples: readonly Sample[]): string {
  const quarter = Math.floor(samples.length / 4);
  const max = (part: readonly Sample[], of: 'log' | 'state') =>
    Math.max(...part.map((sample) => sample[of])) / MiB;
  const log = max(samples, 'log');
  const early = max(samples.slice(quarter, 2 * quarter), 'state');
  const late = max(samples.slice(2 * quarter), 'state');
  const bound = logBytesMax / MiB;
  return [
    `log at most ${log.toFixed(0)} MiB of ${bound} MiB: ${log <= bound ? 'bounded' : 'GROWS'}`,
    `state at most ${early.toFixed(0)} MiB in the second quarter, ${late.toFixed(0)} MiB after: ` +
      `${late <= slack * early ? 'bounded' : 'GROWS'}`,
  ].join('\n');
}

export const run: Benchmark = async ({ seconds, folder, record }: BenchmarkOptions) => {
  const base = mkdtempSync(`${folder}/kontiki-bench-overwrites-`);
  const before = bytesWritten();
  try {
    const samples = await measure(`${base}/data`, seconds);
    const rate = samples.reduce((sum, { puts }) => sum + puts, 0) / samples.length;
    const putBytes = rate * seconds * (keyBytes + valueBytes);
    const amplification = (bytesWritten() - before) / putBytes;
    console.log(verdict(samples));
    console.log(
      `${(putBytes / MiB).toFixed(0)} MiB put, ${amplification.toFixed(2)} times that written to disks`,
    );
    const disk = Math.max(...samples.map(({ total }) => total)) / MiB;
    record({ measure: 'overwrites', subject: 'kontiki', value: rate, unit: '1/s' });
    record({ measure: 'write amplification', subject: 'kontiki', value: amplification, unit: 'x' });
    record({ measure: 'disk', subject: 'kontiki', value: disk, unit: 'MiB' });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , seconds = '20', folder = tmpdir()] = process.argv;
  await run({ seconds: Number(seconds), folder, record: () => {} });
}
