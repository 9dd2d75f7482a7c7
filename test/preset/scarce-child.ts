// A process of its own whose descriptors run out (`ulimit -n` is low there), or whose disk does (it is a
// small one of memory). It says on its standard output what became of a store, as one line of JSON.
import { closeSync, ftruncateSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { systemEnv } from '../../src/preset/system-env.js';
import type { Store } from '../../src/store/store.js';
import type { Failure, Puts, ScarceReport } from './scarce-report.js';

const [dir = '', scenario = ''] = process.argv.slice(2);
const taken: number[] = [];
const value = 'x'.repeat(4_000);
/** On a disk, more than is left of it when it is nearly full. */
const segmentBytes = scenario.includes('full') ? 524_288 : 65_536;

/** Leaves so many descriptors free, and no more. */
function exhaust(free: number): void {
  for (;;) {
    try {
      taken.push(openSync('/dev/null', 'r'));
    } catch (error) {
      if ((error as { code?: string }).code !== 'EMFILE') throw error;
      break;
    }
  }
  for (let nth = 0; nth < free; nth += 1) release(taken.pop());
}

function release(fd: number | undefined): void {
  if (fd !== undefined) closeSync(fd);
}

function relax(): void {
  for (const fd of taken.splice(0)) release(fd);
}

/** Where the platform lists them. */
function descriptors(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
}

/** Small segments, so that a new one is needed soon. */
async function open(): Promise<Store> {
  const config = { ...storeConfig({ dir, tickMs: 10 }), tuning: { segmentBytes } };
  return openStoreOn(await systemEnv(config), config);
}

function failureOf(error: unknown): Failure {
  const { code, message, outcome } = error as Failure & { outcome: string };
  return { code, message, outcome };
}

/** Puts one by one, until one fails or there are `max`. */
async function putUntil(store: Store, name: string, max: number): Promise<Puts> {
  const acknowledged: string[] = [];
  for (let nth = 0; nth < max; nth += 1) {
    const key = `${name}-${String(nth).padStart(4, '0')}`;
    try {
      await store.put(key, value);
      acknowledged.push(key);
    } catch (error) {
      return { acknowledged, failure: failureOf(error) };
    }
  }
  return { acknowledged };
}

async function keysOf(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for await (const kv of store.scan({ prefix: '' })) keys.push(new TextDecoder().decode(kv.key));
  return keys;
}

/** None is left when the log needs its next segment. */
async function roll() {
  const store = await open();
  const before = await putUntil(store, 'before', 3);
  exhaust(0);
  const during = await putUntil(store, 'during', 1_000);
  const read = await store.get('before-0000').then(() => 'served' as const, failureOf);
  relax();
  await store.close();
  const again = await open();
  const keys = await keysOf(again);
  const after = await putUntil(again, 'after', 50);
  await again.close();
  return {
    acknowledged: [...before.acknowledged, ...during.acknowledged],
    during,
    read,
    keys,
    after,
  };
}

/** None is left for a while, and there are some again before the next segment is needed. */
async function pass() {
  const store = await open();
  exhaust(0);
  const during = await putUntil(store, 'during', 3);
  relax();
  const after = await putUntil(store, 'after', 50);
  const keys = await keysOf(store);
  await store.close();
  return { acknowledged: [...during.acknowledged, ...after.acknowledged], during, keys, after };
}

/** A store is opened with ever more descriptors free, until it can be. */
async function openings() {
  const first = await open();
  const { acknowledged } = await putUntil(first, 'before', 40);
  await first.close();
  const held = descriptors();
  const refused: Failure[] = [];
  for (let free = 0; ; free += 1) {
    exhaust(free);
    try {
      const store = await open();
      relax();
      const keys = await keysOf(store);
      const after = await putUntil(store, 'after', 50);
      await store.close();
      return { acknowledged, refused, keys, after, leaked: descriptors() - held };
    } catch (error) {
      refused.push(failureOf(error));
      relax();
    }
  }
}

/** Another file takes all the space there is, or nearly so, and gives it back. */
async function fullDisk(puts: number, leftBytes: number) {
  const store = await open();
  const before = await putUntil(store, 'before', puts);
  // What was put is in the state as well: it needs no more space for that.
  while (store.status().durableIndex < store.status().appliedIndex) await setImmediate();
  const ballast = `${dir}/../ballast`;
  fillDisk(ballast, leftBytes);
  const during = await putUntil(store, 'during', 1_000);
  while (store.status().hasSpace) await setImmediate();
  const read = await store.get('before-0000').then(() => 'served' as const, failureOf);
  rmSync(ballast);
  // It looks for space by itself.
  while (!store.status().hasSpace && store.status().lifecycle === 'open') await setImmediate();
  const same = await putUntil(store, 'same', 50);
  while (store.status().durableIndex < store.status().appliedIndex) await setImmediate();
  await store.close();
  const again = await open();
  const keys = await keysOf(again);
  const after = await putUntil(again, 'after', 50);
  await again.close();
  const all = [before, during, same].flatMap((puts) => puts.acknowledged);
  return { acknowledged: all, during, read, same, keys, after };
}

/** To the last byte that the file system gives, but for some. */
function fillDisk(path: string, leftBytes: number): void {
  const file = openSync(path, 'w');
  let written = 0;
  for (let size = 2 ** 20; size > 0; ) {
    try {
      written += writeSync(file, new Uint8Array(size));
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOSPC') throw error;
      size = Math.floor(size / 2);
    }
  }
  ftruncateSync(file, written - leftBytes);
  closeSync(file);
}

const scenarios: Record<string, () => Promise<Partial<ScarceReport>>> = {
  roll,
  pass,
  openings,
  full: () => fullDisk(20, 0),
  // The segment is nearly full as well, the next one has its space, for the one behind it there is none.
  'nearly-full': () => fullDisk(120, 300_000),
};
process.stdout.write(`${JSON.stringify(await scenarios[scenario]?.())}\n`);
