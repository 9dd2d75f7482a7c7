/**
 * Snapshot files and the write-behind backend on this machine's disk:
 *
 * - a snapshot written, verified and read, against plain writes of the same bytes with one sync;
 * - puts through the backend to classic-level, with the longest stop of the loop, the bytes that reach
 *   the disk for each byte put, and the same while a view is streamed;
 * - how long a capture takes, whatever waits to be flushed;
 * - memory, descriptors and disk over a loop of open, write, prune and close.
 *
 * Run: `npx tsx bench/storage.ts [seconds]`, or by name through `bench/main.ts`. The log's own figures
 * are in `bench/wal.ts`.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { systemTimers } from '../src/base/clock.js';
import { Sha256 } from '../src/base/sha256.js';
import type { Change } from '../src/mvcc/backend.js';
import { openClassicLevel } from '../src/storage/classic-level/index.js';
import { SnapshotFiles, type SnapshotMeta, WriteBehindBackend } from '../src/storage/index.js';
import { nodeFileSystem } from '../src/storage/node-fs/index.js';
import type { Benchmark, BenchmarkOptions } from './benchmark.js';
import { formatTable } from './table.js';

const MiB = 1024 * 1024;
const snapshotBytes = 64 * MiB;
const chunkBytes = 256 * 1024;
const keys = 50_000;
const valueBytes = 256;
const sha256 = (): ReturnType<typeof createHash> => createHash('sha256');

type Rows = [name: string, value: string][];
type Report = (name: string, value: number, unit: string, digits?: number) => void;

const since = (start: number): number => performance.now() - start;

function payload(): Uint8Array {
  return Uint8Array.from({ length: chunkBytes }, (_, at) => (at * 131 + (at >> 7)) & 0xff);
}

async function writeSnapshot(store: SnapshotFiles, index: number): Promise<SnapshotMeta> {
  const sink = await store.create({ index, term: 1 }, { voters: [1, 2, 3] });
  const chunk = payload();
  for (let done = 0; done < snapshotBytes; done += chunk.length) await sink.write(chunk);
  return sink.commit();
}

async function writePlain(path: string): Promise<void> {
  const file = await open(path, 'w');
  const chunk = payload();
  for (let done = 0; done < snapshotBytes; done += chunk.length) await file.write(chunk);
  await file.datasync();
  await file.close();
}

async function readSnapshot(store: SnapshotFiles, meta: SnapshotMeta): Promise<void> {
  let bytes = 0;
  for await (const chunk of store.read(meta)) bytes += chunk.length;
  if (bytes !== snapshotBytes) throw new Error(`expected ${snapshotBytes} bytes, got ${bytes}`);
}

async function snapshots(folder: string, report: Report): Promise<void> {
  const rate = (start: number): number => snapshotBytes / MiB / (since(start) / 1_000);
  const native = await SnapshotFiles.open({ fs: nodeFileSystem, dir: `${folder}/native`, sha256 });
  const portable = await SnapshotFiles.open({
    fs: nodeFileSystem,
    dir: `${folder}/portable`,
    sha256: () => new Sha256(),
  });
  for (const round of [1, 2]) {
    let start = performance.now();
    await writePlain(`${folder}/plain`);
    const plain = rate(start);
    start = performance.now();
    const meta = await writeSnapshot(native, round);
    const written = rate(start);
    start = performance.now();
    await writeSnapshot(portable, round);
    const slow = rate(start);
    start = performance.now();
    await readSnapshot(native, meta);
    const read = rate(start);
    await native.prune();
    await portable.prune();
    if (round === 1) continue;
    report('plain writes, one datasync', plain, 'MiB/s');
    report('snapshot written, hash of the platform', written, 'MiB/s');
    report('snapshot written, portable hash', slow, 'MiB/s');
    report('snapshot read and verified', read, 'MiB/s');
  }
  const start = performance.now();
  const again = await SnapshotFiles.open({ fs: nodeFileSystem, dir: `${folder}/native`, sha256 });
  report('open a folder with it', since(start), 'ms', 2);
  await again.close();
}

/** Bytes this process has handed to disks so far, where the platform says. */
function diskBytes(): number {
  try {
    return Number(/write_bytes: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function putFor(
  backend: WriteBehindBackend,
  state: { index: number },
  seconds: number,
): Promise<{ readonly puts: number; readonly longestMs: number }> {
  const value = payload().subarray(0, valueBytes);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const end = performance.now() + seconds * 1_000;
  let puts = 0;
  while (performance.now() < end) {
    const room = backend.ready();
    if (room !== undefined) await room;
    const changes: Change[] = [];
    for (let n = 0; n < 100; n += 1) {
      const key = `c${(state.index * 100 + n) % keys}`.padEnd(40, '-');
      changes.push([key, value.slice()]);
    }
    state.index += 1;
    backend.apply(changes, state.index);
    puts += changes.length;
    await new Promise<void>((resolve) => systemTimers.soon(resolve));
  }
  delay.disable();
  return { puts, longestMs: delay.max / 1e6 };
}

async function stream(backend: WriteBehindBackend, until: () => boolean): Promise<number> {
  let records = 0;
  while (!until()) {
    const view = backend.capture();
    for (;;) {
      const some = await view.next(500);
      if (some.length === 0 || until()) break;
      records += some.length;
    }
    await view.close();
  }
  return records;
}

async function writeBehind(folder: string, seconds: number, report: Report): Promise<void> {
  const engine = await openClassicLevel(`${folder}/state`);
  const backend = await WriteBehindBackend.open({ engine, timers: systemTimers });
  const state = { index: 0 };
  await putFor(backend, state, 1);
  const before = diskBytes();
  const alone = await putFor(backend, state, seconds);
  await backend.flush();
  const written = diskBytes() - before;
  const putBytes = alone.puts * (valueBytes + 40);
  report('puts of 256 B, flushed behind', alone.puts / seconds, '1/s');
  report('  longest stop of the loop', alone.longestMs, 'ms', 1);
  if (before > 0) report('  bytes to the disk for each byte put', written / putBytes, 'x', 2);
  let isOver = false;
  const streaming = stream(backend, () => isOver);
  const beside = await putFor(backend, state, seconds);
  isOver = true;
  report('puts while views are streamed', beside.puts / seconds, '1/s');
  report('  longest stop of the loop', beside.longestMs, 'ms', 1);
  report('  records streamed meanwhile', (await streaming) / seconds, '1/s');
  for (const waiting of [0, 10_000, 100_000]) {
    const value = new Uint8Array(32);
    const changes = Array.from({ length: waiting }, (_, n): Change => [`k${n}`, value]);
    await backend.flush();
    state.index += 1;
    backend.apply(changes, state.index);
    const start = performance.now();
    const view = backend.capture();
    report(`capture with ${waiting} changes waiting`, since(start) * 1_000, 'us');
    await view.close();
  }
  await backend.close();
}

const descriptors = (): number => {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
};

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(`${entry.parentPath}/${entry.name}`).size, 0);
}

/** Opens, writes a snapshot from a view, prunes and closes, again and again. */
async function churn(folder: string, seconds: number, report: Report): Promise<void> {
  const marks: { rss: number; open: number; disk: number }[] = [];
  const end = performance.now() + seconds * 1_000;
  let rounds = 0;
  let index = 0;
  for (; performance.now() < end; rounds += 1) {
    const engine = await openClassicLevel(`${folder}/state`);
    const backend = await WriteBehindBackend.open({ engine, timers: systemTimers });
    index = backend.openedIndex + 1;
    const value = payload().subarray(0, valueBytes);
    backend.apply(
      Array.from({ length: 5_000 }, (_, n): Change => [`c${n}`, value.slice()]),
      index,
    );
    const store = await SnapshotFiles.open({ fs: nodeFileSystem, dir: `${folder}/snap`, sha256 });
    const sink = await store.create({ index, term: 1 }, { voters: [1] });
    const view = backend.capture();
    for (;;) {
      const records = await view.next(500);
      if (records.length === 0) break;
      for (const [, bytes] of records) await sink.write(bytes);
    }
    await view.close();
    await sink.commit();
    await store.prune();
    await store.close();
    await backend.close();
    marks.push({ rss: process.memoryUsage.rss(), open: descriptors(), disk: folderBytes(folder) });
  }
  const half = marks.slice(Math.floor(marks.length / 2));
  const spread = (of: (mark: (typeof marks)[number]) => number): string => {
    const values = half.map(of);
    return `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;
  };
  report(`open, write, snapshot, prune, close: rounds`, rounds, '');
  report(`  second half, resident MiB ${spread((one) => one.rss / MiB)}`, 0, '');
  report(`  second half, descriptors ${spread((one) => one.open)}`, 0, '');
  report(`  second half, disk KiB ${spread((one) => one.disk / 1_024)}`, 0, '');
}

export const run: Benchmark = async ({ seconds, folder, record }: BenchmarkOptions) => {
  const base = mkdtempSync(`${folder}/kontiki-bench-storage-`);
  const rows: Rows = [];
  const report: Report = (name, value, unit, digits = 0) => {
    rows.push([name, unit === '' && value === 0 ? '' : `${value.toFixed(digits)} ${unit}`.trim()]);
    record({ measure: name.trim(), subject: 'kontiki', value, unit });
  };
  try {
    await snapshots(base, report);
    await writeBehind(base, seconds, report);
    await churn(mkdtempSync(`${base}/churn-`), 2 * seconds, report);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
  console.log(formatTable(['storage', 'figure'], rows));
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run({ seconds: Number(process.argv[2] ?? 3), folder: tmpdir(), record: () => {} });
}
