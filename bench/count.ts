/**
 * What keeping count of keys costs and gives (docs/adr/0011-counting.md), on LevelDB:
 *
 * - what a put pays: keyspace, write-behind and flush, without counts, with counts that nobody asked
 *   for, and with all keys in pages; and the counter's own share;
 * - counts of all keys, of random ranges, and beside a list of 100.
 *
 * Run: `npm run bench -- count`, or `npx tsx bench/count.ts [keys]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { systemTimers } from '../src/base/clock.js';
import type { Query, RangeOperation, RangeResult } from '../src/mvcc/index.js';
import { type Command, countedRecords, Keyspace, segmentsOf } from '../src/mvcc/index.js';
import { openClassicLevel } from '../src/storage/classic-level/index.js';
import { WriteBehindBackend } from '../src/storage/index.js';
import { RangeCounter } from '../src/storage/range-count.js';
import type { Benchmark, BenchmarkOptions } from './benchmark.js';
import { formatTable } from './table.js';

const batchPuts = 100;
const roundPuts = 2_000;
const rounds = 60;
const value = new Uint8Array(256);
const countAll: RangeOperation = { op: 'range', keys: { gte: '' }, countOnly: true };
/** In no order; the same key for the same number. */
const keyOf = (n: number): string =>
  `/registry/pods/${(Math.imul(n, 0x9e3779b1) >>> 0).toString(36).padStart(7, '0')}`;

class Rig {
  #applied = 0;
  readonly backend: WriteBehindBackend;
  readonly keyspace: Keyspace;

  private constructor(backend: WriteBehindBackend, keyspace: Keyspace) {
    this.backend = backend;
    this.keyspace = keyspace;
    this.#applied = backend.openedIndex;
  }

  static async open(path: string, isCounted: boolean): Promise<Rig> {
    const engine = await openClassicLevel(path);
    const options = { engine, timers: systemTimers };
    const backend = await WriteBehindBackend.open(
      isCounted ? { ...options, counted: countedRecords } : options,
    );
    return new Rig(backend, Keyspace.open(await backend.read(Keyspace.openPlan())));
  }

  async put(from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += batchPuts) {
      const batch = Array.from(
        { length: batchPuts },
        (_, n): Command => ({ op: 'put', key: keyOf(at + n), value }),
      );
      for (const segment of segmentsOf(this.keyspace, batch)) {
        let plan = segment.supply(await this.backend.read(segment.plan));
        while (plan !== undefined) plan = segment.supply(await this.backend.read(plan));
        this.#applied += segment.commands.length;
        await this.backend.ready();
        this.backend.apply(segment.execute().changes, this.#applied);
      }
    }
    await this.backend.flush();
  }

  async read(operation: RangeOperation): Promise<RangeResult> {
    let query: Query<RangeResult> = this.keyspace.rangeQuery(operation);
    while (!query.done) query = query.next(await this.backend.read(query.plan));
    return query.result;
  }
}

/** Microseconds of processor time of each of `count`. */
async function cpuOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

type Row = [name: string, microseconds: number];

async function puts(folder: string, keys: number): Promise<Row[]> {
  const plain = await Rig.open(`${folder}/plain`, false);
  const blank = await Rig.open(`${folder}/blank`, true);
  const paged = await Rig.open(`${folder}/paged`, true);
  const rigs = { 'no counts': plain, 'counts nobody asked for': blank, 'all keys in pages': paged };
  for (const rig of Object.values(rigs)) await rig.put(0, keys);
  const sums = new Map<string, number>();
  await paged.read(countAll);
  // By turns, so that whatever else the machine does is shared among them.
  for (let round = 0; round < rounds; round += 1) {
    const from = keys + round * roundPuts;
    const order = Object.entries(rigs);
    order.push(...order.splice(0, round % order.length));
    for (const [name, rig] of order) {
      const cpu = await cpuOf(roundPuts, () => rig.put(from, from + roundPuts));
      sums.set(name, (sums.get(name) ?? 0) + cpu / rounds);
    }
  }
  for (const rig of Object.values(rigs)) await rig.backend.close();
  return [...sums].map(([name, cpu]) => [`new key, ${name}`, cpu]);
}

/** The counter alone: what it adds to applying one put. */
async function share(keys: number): Promise<Row[]> {
  const counter = new RangeCounter(countedRecords);
  const first = new Uint8Array(64);
  first[33] = 1;
  const names = Array.from({ length: keys }, (_, n) => `c${keyOf(n)}`);
  const sorted = names.toSorted();
  const run = (bytes: Uint8Array): Promise<number> =>
    cpuOf(keys, async () => {
      for (const name of names) counter.changed(name, bytes);
    });
  await run(first);
  const rows: Row[] = [['counter: new key, nobody counts', await run(first)]];
  const range = { gte: 'c', lt: 'd' };
  await counter.count(range, async (_, take) => take(sorted.map((name) => [name, first])));
  rows.push([`counter: new key, ${Math.ceil(keys / 128)} pages`, await run(first)]);
  rows.push(['counter: overwritten key', await run(value)]);
  return rows;
}

async function counts(folder: string): Promise<Row[]> {
  const rig = await Rig.open(`${folder}/paged`, true);
  const rows: Row[] = [['first count of all keys', await cpuOf(1, () => rig.read(countAll))]];
  const each = async (name: string, make: (n: number) => RangeOperation): Promise<void> => {
    const times = 300;
    rows.push([
      name,
      await cpuOf(times, async () => {
        for (let n = 0; n < times; n += 1) await rig.read(make(n * 31));
      }),
    ]);
  };
  await each('count of all keys again', () => countAll);
  await each('count from a random key on', (n) => ({ ...countAll, keys: { gte: keyOf(n) } }));
  const list = (n: number): RangeOperation => ({
    op: 'range',
    keys: { gte: keyOf(n) },
    limit: 100,
  });
  await each('list of 100, no count', list);
  await each('list of 100 with the count', (n) => ({ ...list(n), count: true }));
  const listAll: RangeOperation = { op: 'range', keys: { gte: '' } };
  rows.push(['list of all keys', await cpuOf(1, () => rig.read(listAll))]);
  await rig.backend.close();
  return rows;
}

async function measure({ folder, record }: BenchmarkOptions, keys: number): Promise<void> {
  const base = mkdtempSync(`${folder}/kontiki-bench-count-`);
  try {
    const rows = [...(await puts(base, keys)), ...(await share(keys)), ...(await counts(base))];
    for (const [name, us] of rows) {
      record({ measure: name, subject: 'kontiki', value: us, unit: 'us' });
    }
    const cells = rows.map(([name, us]) => [name, us.toFixed(2)]);
    console.log(formatTable([`${keys} keys`, 'us of processor'], cells));
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

export const run: Benchmark = (options) => measure(options, 200_000);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = { seconds: 0, folder: tmpdir(), record: () => {} };
  await measure(options, Number(process.argv[2] ?? 200_000));
}
