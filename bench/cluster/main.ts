/**
 * P1 to P3: three durable members as three processes under the same load, kontiki embedded, and in the
 * same run etcd through the npm client and through its own Go client (Debian: `apt-get install
 * etcd-server`). Rounds go through all systems in turn; what is shown is the median of the rounds.
 *
 * Run: `npm run bench -- cluster [--seconds N]`; each figure is measured for N seconds in all.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchmarkOptions } from '../benchmark.js';
import { formatTable } from '../table.js';
import { barRows } from './bars.js';
import type { LoadResult, LoadShape } from './closed-loop.js';
import { EtcdCluster, etcdVersion } from './etcd-cluster.js';
import { EtcdLoad, findEtcdLoad } from './etcd-load.js';
import { KontikiCluster } from './kontiki-cluster.js';
import { medianOf, type Results, type Subject, type Title } from './results.js';

const rounds = 3;
const warmUpMs = 300;
/** Compiles what is hot: batches of one, too, which take V8 seconds of their own (ADR 0022). */
const warmUps = [
  { operation: 'put', callers: 100, warmUpMs: 0, measureMs: 3_000 },
  { operation: 'put', callers: 1, warmUpMs: 0, measureMs: 6_000 },
] as const;
const loads: readonly (Pick<LoadShape, 'operation' | 'callers'> & { busyPool?: true })[] = [
  { operation: 'put', callers: 1 },
  { operation: 'put', callers: 1, busyPool: true },
  { operation: 'put', callers: 100 },
  { operation: 'get', callers: 100 },
  { operation: 'serializable get', callers: 100 },
];

/** A system under load. */
interface System {
  readonly name: Subject;
  readonly run: (shape: LoadShape, busyPool: boolean) => Promise<LoadResult>;
}

export async function run(options: BenchmarkOptions): Promise<void> {
  const folder = await mkdtemp(join(options.folder, 'kontiki-bench-'));
  const running: { readonly stop: () => Promise<void> }[] = [];
  const start = async <C extends { stop(): Promise<void> }>(starting: Promise<C>): Promise<C> => {
    const cluster = await starting;
    running.push(cluster);
    return cluster;
  };
  try {
    const kontiki = await start(KontikiCluster.start(folder));
    const systems: System[] = [
      { name: 'kontiki', run: (shape, busyPool) => kontiki.run(shape, { busyPool }) },
    ];
    const version = await etcdVersion();
    if (version === undefined) console.log('no etcd on the PATH: nothing to compare with');
    else systems.push(...(await etcdSystems(await start(EtcdCluster.start(folder)), version)));
    show(await measure(systems, options), options);
  } finally {
    await Promise.all(running.map((cluster) => cluster.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function etcdSystems(etcd: EtcdCluster, version: string): Promise<System[]> {
  console.log(`etcd ${version}`);
  const npm: System = { name: 'npm etcd3', run: (shape) => etcd.run(shape) };
  const found = await findEtcdLoad();
  if ('missing' in found) {
    console.log(`no Go client: ${found.missing}`);
    return [npm];
  }
  const load = new EtcdLoad(found.path, etcd.leader);
  return [npm, { name: 'etcd, Go client', run: (shape) => load.run(shape) }];
}

/** Load by load, the systems in turn: a machine that gets slower meanwhile is slow for all. */
async function measure(systems: readonly System[], options: BenchmarkOptions): Promise<Results> {
  for (const system of systems) {
    for (const warmUp of warmUps) await system.run(warmUp, false);
  }
  const results: Results = new Map();
  for (const { busyPool = false, ...load } of loads) {
    const title: Title = `${load.operation}, ${load.callers}${busyPool ? ', busy pool' : ''}`;
    // What the pool of Node's threads does is nothing to another process.
    const asked = busyPool ? systems.slice(0, 1) : systems;
    const found = new Map<Subject, LoadResult[]>(asked.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, run: runShape } of asked) {
        const measureMs = (options.seconds * 1_000) / rounds;
        const result = await runShape({ ...load, warmUpMs, measureMs }, busyPool);
        found.get(name)?.push(result);
      }
    }
    const medians = new Map([...found].map(([name, each]) => [name, medianOf(each)]));
    const line = [...medians].map(([name, { perSecond }]) => `${name} ${perSecond.toFixed(0)}/s`);
    console.log(`${title}: ${line.join(', ')}`);
    results.set(title, medians);
  }
  return results;
}

function show(results: Results, { record }: BenchmarkOptions): void {
  const rows: string[][] = [];
  for (const [title, bySubject] of results) {
    for (const [subject, { perSecond, p50Ms, p99Ms }] of bySubject) {
      const name = subject === 'kontiki' ? title : '';
      rows.push([name, subject, perSecond.toFixed(0), p50Ms.toFixed(3), p99Ms.toFixed(2)]);
      record({ measure: title, subject, value: perSecond, unit: '1/s' });
      record({ measure: `${title} p50`, subject, value: p50Ms, unit: 'ms' });
      record({ measure: `${title} p99`, subject, value: p99Ms, unit: 'ms' });
    }
  }
  const header = ['256 B, 3 durable members; callers', '', '/s', 'p50 ms', 'p99 ms'];
  console.log(`\n${formatTable(header, rows)}`);
  console.log(`\n${formatTable(['budget', 'figure', 'bar', ''], barRows(results))}`);
}
