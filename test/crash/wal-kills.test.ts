// SIGKILL at random points: every record that was acknowledged is there, life after life.
// KONTIKI_DEPTH=n kills 50 n times.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Prng, randomInt } from '../../src/base/prng.js';
import type { Entry } from '../../src/raft/types.js';
import { nodeFileSystem } from '../../src/storage/node-fs/index.js';
import { openWal, type WalLogStore } from '../../src/storage/wal/index.js';
import { walEntry, walOptions } from './wal-content.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const kills = depth === 1 ? 3 : 50 * depth;
const seed = Number(process.env.KONTIKI_SEED ?? 1);

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(`${tmpdir()}/kontiki-wal-kills-`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What a process had printed when it died. */
interface Life {
  readonly acknowledged: number;
  readonly truncating: number;
}

/** Runs the writer and kills it when it has printed so many lines; it writes on until that arrives. */
function lifeOf(log: string, writerSeed: number, lines: number): Promise<Life> {
  return new Promise((resolve, reject) => {
    const writer = `${import.meta.dirname}/wal-writer.ts`;
    const child = spawn(process.execPath, ['--import', 'tsx', writer, log, String(writerSeed)]);
    let out = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (out.split('\n').length > lines) child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (_, signal) => {
      if (signal !== 'SIGKILL') return reject(new Error(`the writer ended by itself: ${errors}`));
      const newest = (word: string): number =>
        Math.max(
          0,
          ...[...out.matchAll(new RegExp(`${word} (\\d+)\n`, 'g'))].map(([, n]) => Number(n)),
        );
      resolve({ acknowledged: newest('acknowledged'), truncating: newest('truncating') });
    });
  });
}

async function entriesOf(log: WalLogStore): Promise<Entry[]> {
  const found: Entry[] = [];
  const hi = log.lastIndex() + 1;
  while (log.firstIndex() + found.length < hi) {
    const range = { lo: log.firstIndex() + found.length, hi };
    const next = log.entries(range, 1e9);
    if (next === 'pending') await log.fetch(range);
    else found.push(...next!);
  }
  return found;
}

test(
  `wal: killed ${kills} times -> every acknowledged record is there`,
  async () => {
    const random = new Prng(seed);
    let truncating = 0;
    let cut = 0;
    for (let kill = 1; kill <= kills; kill += 1) {
      const what = `seed ${seed}, kill ${kill}`;
      const life = await lifeOf(dir, seed * 1_000 + kill, 1 + randomInt(random, 300));
      truncating = Math.max(truncating, life.truncating);
      const log = await openWal({ fs: nodeFileSystem, dir, ...walOptions });
      const first = log.firstIndex();
      expect(log.lastIndex(), what).toBeGreaterThanOrEqual(life.acknowledged);
      expect(first, what).toBeLessThanOrEqual(truncating + 1);
      expect(log.initialState().hardState.commit, what).toBe(log.lastIndex());
      const found = await entriesOf(log);
      const isIntact = found.every((entry, at) => {
        const expected = walEntry(first + at);
        return entry.index === expected.index && Buffer.compare(entry.data, expected.data) === 0;
      });
      expect(isIntact, what).toBe(true);
      expect(found.length, what).toBe(log.lastIndex() - first + 1);
      if (log.recovery.cut !== undefined) cut += 1;
      await log.close();
    }
    expect(truncating).toBeGreaterThan(0);
    if (depth > 1)
      console.log(`wal kills: ${kills}, torn last groups: ${cut}, truncated: ${truncating}`);
  },
  30_000 + kills * 5_000,
);
