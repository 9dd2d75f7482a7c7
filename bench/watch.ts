/**
 * P9: what a watch costs in one process. Puts go through a keyspace and its hub to loops that read
 * watches as an application does; then watches that never see an event are weighed.
 *
 * Run: `npx tsx bench/watch.ts`, or by name through `bench/main.ts`.
 */
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type KeySelection, Keyspace, segmentsOf, WatchHub } from '../src/mvcc/index.js';
import { Watch, type WatchSource } from '../src/store/watch.js';
import type { Benchmark } from './benchmark.js';
import { formatTable } from './table.js';

const idleWatches = 100_000;
const value = new Uint8Array(256);
const MiB = 1024 * 1024;

/** A keyspace whose every record is in memory, and its hub: the puts of a store without the log. */
class World {
  readonly #records = new Map<string, Uint8Array>();
  readonly #keyspace = Keyspace.open({ records: [undefined], ranges: [] });
  readonly hub = new WatchHub(this.#keyspace);
  readonly #open = new Set<Watch>();
  readonly #source: WatchSource = {
    hub: this.hub,
    history: () => Promise.reject(new Error('nobody falls behind here')),
    onOpen: (watch) => this.#open.add(watch),
    onEnd: (watch) => this.#open.delete(watch),
  };
  delivered = 0;

  put(key: string): void {
    for (const segment of segmentsOf(this.#keyspace, [{ op: 'put', key, value }])) {
      const records = segment.plan.keys.map((each) => this.#records.get(each));
      segment.supply({ records, ranges: [] });
      const { executions, changes } = segment.execute();
      for (const [each, bytes] of changes) {
        // Only what a put reads again: the current versions.
        if (bytes !== undefined && each.startsWith('c')) this.#records.set(each, bytes);
      }
      for (const { events } of executions) this.hub.notify(events[0]!.revision, events);
    }
  }

  /** A watch without a consumer. */
  watch(keys: KeySelection): Watch {
    return new Watch(this.#source, { keys });
  }

  /** The loop that reads a watch. */
  async follow(watch: Watch): Promise<void> {
    for await (const { events } of watch) this.delivered += events.length;
  }

  close(): void {
    for (const watch of [...this.#open]) void watch.close();
  }
}

const single = (key: string): KeySelection => ({ gte: key, lt: `${key}\0` });
const prefix = (text: string): KeySelection => ({ gte: text, lt: `${text}\xff` });
/** Lets every loop take what it was given. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Events per second that reach loops. */
async function rate(watches: number, keysOf: (nth: number) => KeySelection, seconds: number) {
  const world = new World();
  for (let nth = 0; nth < watches; nth += 1) void world.follow(world.watch(keysOf(nth)));
  await turn();
  const put = async (): Promise<void> => {
    world.put('key/000001');
    await turn();
  };
  for (let warm = 0; warm < 100; warm += 1) await put();
  const before = world.delivered;
  const start = performance.now();
  const end = start + seconds * 1_000;
  while (performance.now() < end) await put();
  const elapsed = (performance.now() - start) / 1_000;
  world.close();
  await turn();
  return (world.delivered - before) / elapsed;
}

/** Nanoseconds of a put that nobody watches, among `watches` others. */
function missed(watches: number, keysOf: (nth: number) => KeySelection, seconds: number): number {
  const world = new World();
  for (let nth = 0; nth < watches; nth += 1) world.watch(keysOf(nth));
  for (let warm = 0; warm < 1_000; warm += 1) world.put('other');
  const start = performance.now();
  let puts = 0;
  while (performance.now() < start + seconds * 1_000) {
    for (let nth = 0; nth < 100; nth += 1) world.put('other');
    puts += 100;
  }
  const elapsed = performance.now() - start;
  world.close();
  return (elapsed * 1e6) / puts;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function heap(): Promise<number> {
  for (let nth = 0; nth < 3; nth += 1) {
    await turn();
    collect();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** MiB of 100,000 watches of a key each. */
async function weigh(begin: (world: World, key: string) => void): Promise<number> {
  const world = new World();
  const before = await heap();
  for (let nth = 0; nth < idleWatches; nth += 1) {
    begin(world, `key/${String(nth).padStart(6, '0')}`);
  }
  const after = await heap();
  world.close();
  return (after - before) / MiB;
}

/** Prints rates and weights. */
export const run: Benchmark = async ({ seconds, record }) => {
  const rows: string[][] = [];
  const add = (measure: string, figure: number, unit: string): void => {
    rows.push([measure, figure.toFixed(figure < 1_000 ? 1 : 0), unit]);
    record({ measure, subject: 'kontiki/store', value: figure, unit });
  };
  const same = () => single('key/000001');
  const parts = seconds / 3;
  add('1 put to 1,000 watches of its key', await rate(1_000, same, parts), 'events/s');
  const ranges = (nth: number) => prefix('key/000001'.slice(0, 1 + (nth % 10)));
  add('1 put to 1,000 watches of 10 prefixes', await rate(1_000, ranges, parts), 'events/s');
  add('1 put to 1 watch', await rate(1, same, parts), 'events/s');
  const keyOf = (nth: number) => `key/${String(nth).padStart(6, '0')}`;
  add('put, nobody watches', missed(0, same, parts), 'ns');
  add(
    'put beside 100,000 watches of other keys',
    missed(100_000, (nth) => single(keyOf(nth)), parts),
    'ns',
  );
  add(
    'put beside 100,000 watches of other prefixes',
    missed(100_000, (nth) => prefix(keyOf(nth)), parts),
    'ns',
  );
  add('100,000 watches, unread', await weigh((world, key) => world.watch(single(key))), 'MiB');
  const next = (world: World, key: string): void => {
    void world.watch(single(key))[Symbol.asyncIterator]().next();
  };
  add('100,000 watches, next() waiting', await weigh(next), 'MiB');
  add(
    '100,000 watches, each read by a loop',
    await weigh((world, key) => void world.follow(world.watch(single(key)))),
    'MiB',
  );
  console.log(formatTable(['watch', '', ''], rows));
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run({ seconds: 3, folder: '', record: () => {} });
}
