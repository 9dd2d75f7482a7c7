// A store in a worker thread of the host.
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src/index.js';

let dir: string;
let data: string;
let bundle: string;

beforeEach(async () => {
  // Inside of the project, so that the bundle finds its packages.
  dir = mkdtempSync(join(import.meta.dirname, 'worker-'));
  data = mkdtempSync(join(tmpdir(), 'kontiki-worker-'));
  bundle = join(dir, 'kontiki.mjs');
  const entryPoints = [join(import.meta.dirname, '../../src/index.ts')];
  const target = { bundle: true, platform: 'node', format: 'esm', packages: 'external' } as const;
  await build({ entryPoints, outfile: bundle, ...target });
});

afterEach(() => {
  rmSync(dir, { recursive: true });
  rmSync(data, { recursive: true });
});

test('the thread ends after its store was closed -> no file of other threads is closed', async () => {
  const program = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.bundle).then(async ({ openStore }) => {
      const store = await openStore({ dir: workerData.data });
      await store.put('a', '1');
      await store.close();
      parentPort.once('message', () => parentPort.close());
      parentPort.postMessage('closed');
    });`;
  const worker = new Worker(program, { eval: true, workerData: { bundle, data } });
  await once(worker, 'message');
  // They get the numbers of the files that the store has closed.
  const own = Array.from({ length: 16 }, (_, nth) => openSync(join(dir, `own-${nth}`), 'w'));
  worker.postMessage('end');
  await once(worker, 'exit');
  for (const fd of own) expect(() => writeSync(fd, 'x')).not.toThrow();
  for (const fd of own) closeSync(fd);
}, 30_000);

test('another thread has the directory open -> DIR_LOCKED, and its lock stays', async () => {
  const program = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.bundle).then(async ({ openStore }) => {
      const store = await openStore({ dir: workerData.data });
      await store.put('a', '1');
      parentPort.postMessage('open');
    });`;
  const worker = new Worker(program, { eval: true, workerData: { bundle, data } });
  await once(worker, 'message');
  const lock = readFileSync(join(data, 'lock'));
  await expect(openStore({ dir: data })).rejects.toMatchObject({ code: 'DIR_LOCKED' });
  expect(readFileSync(join(data, 'lock'))).toEqual(lock);
  await worker.terminate();
}, 30_000);
