/**
 * P7: appends to the write-ahead log, each batch durable before the next, against the least that any
 * log must do: write the same bytes, `fdatasync`. The subjects take turns, so that a disk which slows
 * down slows them all.
 *
 * Run: `npx tsx bench/wal.ts`, or by name through `bench/main.ts`.
 */
import {
  close,
  closeSync,
  fdatasync,
  mkdtempSync,
  open,
  openSync,
  rmSync,
  write,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { limits } from '../src/base/limits.js';
import type { Entry } from '../src/raft/types.js';
import { nodeFileSystem } from '../src/storage/node-fs/index.js';
import { openWal } from '../src/storage/wal/index.js';
import type { Benchmark } from './benchmark.js';
import { formatTable } from './table.js';

const payloadBytes = 300;
const turnMs = 250;

/** Makes a batch of so many payloads durable. */
interface Subject {
  append(count: number): Promise<void>;
  close(): Promise<void>;
}

async function openLog(folder: string): Promise<Subject> {
  const log = await openWal({ fs: nodeFileSystem, dir: folder, voters: [1] });
  const data = payload(payloadBytes);
  let last = 0;
  return {
    append: (count) => {
      // What was handed over before; what is applied is never replaced, so not this batch's own.
      log.applied(last);
      const entries: Entry[] = [];
      for (let at = 0; at < count; at += 1) {
        last += 1;
        entries.push({ term: 1, index: last, type: 'normal', data });
      }
      return log.append({ entries, mustSync: true });
    },
    close: () => log.close(),
  };
}

/** The loop without a log. `zeroed`: over zeros written before, as the log's are. */
function openBare(folder: string, zeroed: boolean): Promise<Subject> {
  const path = `${folder}.bin`;
  if (zeroed) writeZeros(path, limits.segmentBytes);
  return promisify(open)(path, zeroed ? 'r+' : 'w').then((fd) => {
    let offset = 0;
    return {
      append: (count) =>
        new Promise<void>((resolve, reject) => {
          const bytes = payload(count * payloadBytes);
          if (zeroed && offset + bytes.length > limits.segmentBytes) offset = 0;
          write(fd, bytes, 0, bytes.length, offset, (error) => {
            if (error) return reject(error);
            offset += bytes.length;
            fdatasync(fd, (failure) => (failure ? reject(failure) : resolve()));
          });
        }),
      close: () => promisify(close)(fd),
    };
  });
}

function writeZeros(path: string, length: number): void {
  const fd = openSync(path, 'w');
  const zeros = new Uint8Array(1 << 20);
  for (let at = 0; at < length; at += zeros.length) writeSync(fd, zeros);
  closeSync(fd);
}

const payloads = new Map<number, Uint8Array>();

function payload(length: number): Uint8Array {
  let bytes = payloads.get(length);
  if (bytes === undefined) {
    bytes = Uint8Array.from({ length }, (_, at) => (at * 131 + (at >> 6)) & 0xff);
    payloads.set(length, bytes);
  }
  return bytes;
}

/** Milliseconds from one batch's end to the next one's, for one turn. */
async function takeTurn(subject: Subject, at: Load, times: number[]): Promise<void> {
  const { count, inFlight } = at;
  const waiting: Promise<void>[] = [];
  const end = performance.now() + turnMs;
  for (let now = performance.now(); now < end; ) {
    while (waiting.length < inFlight) waiting.push(subject.append(count));
    await waiting.shift();
    const done = performance.now();
    times.push(done - now);
    now = done;
  }
  await Promise.all(waiting);
}

interface Load {
  /** Entries of a batch. */
  readonly count: number;
  /** Batches handed over before the first of them is durable. */
  readonly inFlight: number;
}

const subjects = {
  'kontiki/storage/wal': { open: openLog, inFlight: 1 },
  // As the driver does: the next batch is encoded while the one before is synced.
  'kontiki/storage/wal, next in hand': { open: openLog, inFlight: 2 },
  'bare, over zeros': { open: (folder: string) => openBare(folder, true), inFlight: 1 },
  'bare, growing file': { open: (folder: string) => openBare(folder, false), inFlight: 1 },
};

async function measure(count: number, seconds: number, base: string): Promise<number[][]> {
  const folder = mkdtempSync(`${base}/kontiki-bench-wal-`);
  const opened: { readonly subject: Subject; readonly load: Load; readonly times: number[] }[] = [];
  try {
    for (const { open: openSubject, inFlight } of Object.values(subjects)) {
      const subject = await openSubject(`${folder}/${opened.length}`);
      opened.push({ subject, load: { count, inFlight }, times: [] });
    }
    for (const { subject, load } of opened) await takeTurn(subject, load, []);
    const end = performance.now() + seconds * 1_000;
    while (performance.now() < end) {
      for (const { subject, load, times } of opened) await takeTurn(subject, load, times);
    }
    return opened.map(({ times }) => times);
  } finally {
    for (const { subject } of opened) await subject.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const sum = (times: readonly number[]): number => times.reduce((total, time) => total + time, 0);
const quantile = (times: readonly number[], part: number): number =>
  [...times].sort((a, b) => a - b)[Math.floor(part * (times.length - 1))] ?? 0;

export const run: Benchmark = async ({ seconds, folder, record }) => {
  const rows: string[][] = [];
  const names = Object.keys(subjects);
  for (const count of [1, 10, 100]) {
    const all = await measure(count, names.length * seconds, folder);
    const rates = all.map((times) => (1_000 * times.length * count) / sum(times));
    const medians = all.map((times) => quantile(times, 0.5));
    for (const [at, subject] of names.entries()) {
      const [rate, p50, p99] = [rates[at]!, medians[at]!, quantile(all[at]!, 0.99)];
      const figures = [rate.toFixed(0), p50.toFixed(3), p99.toFixed(3)];
      const overZeros = names.indexOf('bare, over zeros');
      const ratios = [rates[overZeros + 1]!, rates[overZeros]!].map((bare) => rate / bare);
      const medianRatio = medians[overZeros]! / p50;
      const shown = [...ratios, medianRatio].map((ratio) => ratio.toFixed(2));
      rows.push([`${count} a batch, ${subject}`, ...figures, ...shown]);
      record({ measure: `append, batches of ${count}`, subject, value: rate, unit: '1/s' });
      record({ measure: `append p50, batches of ${count}`, subject, value: p50, unit: 'ms' });
    }
  }
  const ratios = ['/growing', '/zeros', 'p50 zeros/'];
  const header = [`entries of ${payloadBytes} B`, 'entries/s', 'p50 ms', 'p99 ms', ...ratios];
  console.log(formatTable(header, rows));
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run({ seconds: 2, folder: tmpdir(), record: () => {} });
}
