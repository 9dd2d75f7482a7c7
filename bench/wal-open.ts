/**
 * How long a log takes to open, and what disk and memory it holds, after more and more history: with
 * truncation by the retention rule both are to stay where they are.
 *
 * Run: `npm run bench -- wal-open`.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { unneededIndex } from '../src/node/log-retention.js';
import { nodeFileSystem } from '../src/storage/node-fs/index.js';
import { openWal, type WalLogStore } from '../src/storage/wal/index.js';
import type { Benchmark } from './benchmark.js';
import { formatTable } from './table.js';

const MiB = 1024 * 1024;
const dataBytes = 1_000;
const batch = 200;
/** MiB of entries ever written when the log is opened again. */
const histories = [64, 256, 1_024, 2_048];

const data = Uint8Array.from({ length: dataBytes }, (_, at) => (at * 131) & 0xff);

async function write(log: WalLogStore, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= batch * dataBytes) {
    const lo = log.lastIndex() + 1;
    const entries = Array.from({ length: batch }, (_, at) => {
      return { term: 1, index: lo + at, type: 'normal' as const, data };
    });
    const last = lo + batch - 1;
    const hardState = { term: 1, vote: 1, commit: last };
    await log.append({ entries, hardState, mustSync: true });
    log.applied(last);
    await log.truncate(unneeded(log));
  }
}

function unneeded(log: WalLogStore): number {
  return unneededIndex({
    firstIndex: log.firstIndex(),
    lastIndex: log.lastIndex(),
    durableIndex: log.lastIndex(),
    matches: [],
    bytesAbove: (index) => log.bytesAbove(index),
  });
}

const diskBytes = (dir: string): number =>
  readdirSync(dir).reduce((sum, name) => sum + statSync(`${dir}/${name}`).size, 0);

export const run: Benchmark = async ({ folder, record }) => {
  const dir = mkdtempSync(`${folder}/kontiki-bench-wal-open-`);
  const rows: string[][] = [];
  try {
    let written = 0;
    for (const history of histories) {
      let log = await openWal({ fs: nodeFileSystem, dir, voters: [1] });
      await write(log, (history - written) * MiB);
      written = history;
      const applied = log.lastIndex();
      await log.close();
      const times: number[] = [];
      for (let turn = 0; turn < 5; turn += 1) {
        const before = performance.now();
        log = await openWal({ fs: nodeFileSystem, dir, voters: [1], applied });
        times.push(performance.now() - before);
        await log.close();
      }
      const ms = times.sort((a, b) => a - b)[2] as number;
      const disk = diskBytes(dir) / MiB;
      const kept = applied - log.firstIndex() + 1;
      rows.push([`${history} MiB`, ms.toFixed(0), disk.toFixed(0), String(kept)]);
      const subject = `${history} MiB of history`;
      record({ measure: 'wal open', subject, value: ms, unit: 'ms' });
      record({ measure: 'wal disk', subject, value: disk, unit: 'MiB' });
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  console.log(formatTable(['history written', 'open ms', 'disk MiB', 'entries kept'], rows));
};
