/**
 * Three durable members as three processes under the same load: kontiki embedded, and etcd through
 * the npm client when an `etcd` is on the PATH. Budgets P1 to P3 are read off this table.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchmarkOptions } from '../benchmark.js';
import { formatTable } from '../table.js';
import type { LoadResult, LoadShape } from './closed-loop.js';
import { EtcdCluster, etcdVersion } from './etcd-cluster.js';
import { etcdLoadProgram, runEtcdLoad } from './etcd-load.js';
import { KontikiCluster } from './kontiki-cluster.js';

const warmUpMs = 1_000;
const loads = [
  { operation: 'put', callers: 1 },
  { operation: 'put', callers: 100 },
  { operation: 'get', callers: 100 },
] as const;

/** A running cluster, and how to put load on it. */
interface Subject {
  readonly name: string;
  readonly title: string;
  readonly run: (shape: LoadShape) => Promise<LoadResult>;
}

/** One system's results, in the order of `loads`. */
interface Column {
  readonly subject: string;
  readonly title: string;
  readonly results: LoadResult[];
}

export async function run(options: BenchmarkOptions): Promise<void> {
  const folder = await mkdtemp(join(options.folder, 'kontiki-bench-'));
  const running: { readonly stop: () => Promise<void> }[] = [];
  try {
    const kontiki = await KontikiCluster.start(folder);
    running.push(kontiki);
    const subjects: Subject[] = [
      { name: 'kontiki', title: 'kontiki, embedded', run: (shape) => kontiki.run(shape) },
    ];
    const version = await etcdVersion();
    if (version !== undefined) {
      const etcd = await EtcdCluster.start(folder);
      running.push(etcd);
      subjects.push(...etcdSubjects(etcd, version));
    }
    const columns = await measure(subjects, options);
    console.log(`\n${formatTable(headerOf(columns), rowsOf(columns))}`);
    await showBusyPool(kontiki, options);
    if (version === undefined) console.log('\nno etcd on the PATH: nothing to compare with');
    keep(columns, options);
  } finally {
    await Promise.all(running.map((cluster) => cluster.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

function etcdSubjects(etcd: EtcdCluster, version: string): Subject[] {
  const title = `etcd ${version}, npm etcd3`;
  const npm: Subject = { name: 'etcd3', title, run: (shape) => etcd.run(shape) };
  const program = etcdLoadProgram;
  if (program === undefined) return [npm];
  const runGo = (shape: LoadShape) => runEtcdLoad(program, etcd.leader, shape);
  return [npm, { name: 'etcd-go', title: 'etcd, Go client', run: runGo }];
}

/** Load by load, the systems in turn: a machine that gets slower meanwhile is slow for all. */
async function measure(
  subjects: readonly Subject[],
  { seconds }: BenchmarkOptions,
): Promise<Column[]> {
  const columns = subjects.map(
    ({ name, title }): Column => ({ subject: name, title, results: [] }),
  );
  for (const load of loads) {
    for (const [at, { name, run: runShape }] of subjects.entries()) {
      const result = await runShape({ ...load, warmUpMs, measureMs: seconds * 1_000 });
      console.log(`${name}: ${nameOf(load)}: ${result.perSecond.toFixed(0)}/s`);
      columns[at]?.results.push(result);
    }
  }
  return columns;
}

/** P2: one caller's puts while the host keeps eight `pbkdf2` calls in the pool of threads. */
async function showBusyPool(
  kontiki: KontikiCluster,
  { seconds, record }: BenchmarkOptions,
): Promise<void> {
  const shape = { operation: 'put', callers: 1, warmUpMs, measureMs: seconds * 1_000 } as const;
  const idle = await kontiki.run(shape);
  const busy = await kontiki.run(shape, { busyPool: true });
  const row = (name: string, { perSecond, p50Ms, p99Ms }: LoadResult): string[] => {
    record({ measure: `put p99, pool ${name}`, subject: 'kontiki', value: p99Ms, unit: 'ms' });
    return [name, perSecond.toFixed(0), p50Ms.toFixed(2), p99Ms.toFixed(2)];
  };
  const header = ["puts, 1 caller; the host's pool is", '/s', 'p50 ms', 'p99 ms'];
  console.log(`\n${formatTable(header, [row('idle', idle), row('busy', busy)])}`);
}

function nameOf({ operation, callers }: (typeof loads)[number]): string {
  const kind = operation === 'put' ? 'puts' : 'linearizable gets';
  return `${kind}, ${callers} ${callers === 1 ? 'caller' : 'callers'}`;
}

function headerOf([own, ...others]: readonly Column[]): string[] {
  const rivals = others.flatMap(({ title }) => [title, 'ratio']);
  return ['256 B values, 3 durable members', '', own?.title ?? '', ...rivals];
}

const measures = [
  { name: '/s', of: (result: LoadResult) => result.perSecond, digits: 0 },
  { name: 'p50 ms', of: (result: LoadResult) => result.p50Ms, digits: 2 },
  { name: 'p99 ms', of: (result: LoadResult) => result.p99Ms, digits: 2 },
];

/** Ratios are kontiki's figure over the other's: above 1 is better for rates, below 1 for times. */
function rowsOf([own, ...others]: readonly Column[]): string[][] {
  return loads.flatMap((load, at) =>
    measures.map(({ name, of, digits }, line) => {
      const figure = (column: Column | undefined): number => {
        const result = column?.results[at];
        return result === undefined ? Number.NaN : of(result);
      };
      const rivals = others.flatMap((column) => [
        figure(column).toFixed(digits),
        `${(figure(own) / figure(column)).toFixed(2)}x`,
      ]);
      return [line === 0 ? nameOf(load) : '', name, figure(own).toFixed(digits), ...rivals];
    }),
  );
}

function keep(columns: readonly Column[], { record }: BenchmarkOptions): void {
  for (const { subject, results } of columns) {
    for (const [at, { perSecond, p50Ms, p99Ms }] of results.entries()) {
      const { operation, callers } = loads[at] as (typeof loads)[number];
      const about = { subject, callers };
      record({ ...about, measure: operation, value: perSecond, unit: '1/s' });
      record({ ...about, measure: `${operation} p50`, value: p50Ms, unit: 'ms' });
      record({ ...about, measure: `${operation} p99`, value: p99Ms, unit: 'ms' });
    }
  }
}
