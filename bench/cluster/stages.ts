/**
 * Where the processor time of a put goes: three durable members as three processes, 100 callers on the
 * leader, first without and then with stacks taken. Figures are microseconds per put. docs/adr/0022 has
 * the table.
 *
 * Run: `npm run bench -- cluster/stages [--seconds N] [--full]`; with `--full` also functions.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Benchmark, BenchmarkOptions } from '../benchmark.js';
import { formatTable } from '../table.js';
import type { LoadResult, LoadShape } from './closed-loop.js';
import type { Usage } from './cpu-profile.js';
import { KontikiCluster } from './kontiki-cluster.js';
import type { MemberFacts } from './member.js';
import { type Stage, stages, timeByFunction, timeByStage } from './stage-of.js';

const callers = 100;
/** Compiles what is hot. */
const warmUpMs = 3_000;
const functionsShown = 40;

interface Measured {
  readonly load: LoadResult;
  readonly puts: number;
  /** The leader's first. */
  readonly usages: readonly Usage[];
  /** Entries in one write to the log, of the same members. */
  readonly groups: readonly number[];
}

export const run: Benchmark = async (options) => {
  const folder = await mkdtemp(join(options.folder, 'kontiki-bench-'));
  const cluster = await KontikiCluster.start(folder);
  try {
    const shape = { operation: 'put', callers } as const;
    await cluster.run({ ...shape, warmUpMs, measureMs: 1 });
    const loaded = { ...shape, warmUpMs: 0, measureMs: options.seconds * 1_000 };
    const plain = await measure(cluster, loaded, false);
    console.log(`without stacks: ${plain.load.perSecond.toFixed(0)} puts/s`);
    const stacks = await measure(cluster, loaded, true);
    console.log(`with stacks: ${stacks.load.perSecond.toFixed(0)} puts/s\n`);
    show(plain, stacks, options);
    if (options.full === true) showFunctions(stacks);
  } finally {
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  }
};

async function measure(
  cluster: KontikiCluster,
  shape: LoadShape,
  profile: boolean,
): Promise<Measured> {
  const leader = await cluster.leader();
  const members = [leader, ...cluster.members.filter((member) => member !== leader)];
  const factsOf = () =>
    Promise.all(members.map((member) => member.ask<MemberFacts>({ ask: 'facts' })));
  const before = await factsOf();
  await Promise.all(members.map((member) => member.ask({ ask: 'start usage', profile })));
  const load = await leader.ask<LoadResult>({ ask: 'load', shape });
  const usages = await Promise.all(
    members.map((member) => member.ask<Usage>({ ask: 'end usage' })),
  );
  const groups = (await factsOf()).map(({ logEntries, logWrites }, at) => {
    const { logEntries: entries = 0, logWrites: writes = 0 } = before[at] ?? {};
    return (logEntries - entries) / (logWrites - writes);
  });
  return { load, puts: load.perSecond * (shape.measureMs / 1_000), usages, groups };
}

function show(plain: Measured, { puts, usages }: Measured, { record }: BenchmarkOptions): void {
  const times = usages.map(timesOf);
  /** Of the leader, and of a follower on average. */
  const pair = (of: (member: number) => number) => [of(0), (of(1) + of(2)) / 2];
  const format = (cells: readonly number[]) => cells.map((us) => us.toFixed(2));
  const rows = stages.map((stage) => {
    return [stage, ...format(pair((member) => (times[member]?.get(stage) ?? 0) / puts))];
  });
  const wholes: [string, (member: number) => number][] = [
    ['main thread', (member) => (usages[member]?.mainUs ?? 0) / puts],
    ['other threads', (member) => othersUs(usages[member]) / puts],
    ['all threads, without stacks', (member) => (plain.usages[member]?.cpuUs ?? 0) / plain.puts],
  ];
  for (const [name, of] of wholes) {
    const cells = pair(of);
    rows.push([name, ...format(cells)]);
    cells.forEach((value, at) => {
      record({ measure: name, subject: at === 0 ? 'leader' : 'follower', value, unit: 'us/put' });
    });
  }
  rows.push(['entries in one write to the log', ...format(pair((at) => plain.groups[at] ?? 0))]);
  console.log(formatTable(['processor time, us per put', 'leader', 'follower'], rows));
}

function timesOf(usage: Usage): Map<Stage, number> {
  const times = timeByStage(usage.profile as NonNullable<typeof usage.profile>);
  const share = shareOf(usage, times);
  return new Map([...times].map(([stage, us]) => [stage, us * share]));
}

/**
 * Stacks are taken by the clock on the wall: a thread that waits for a core counts as busy. So what they
 * tell is shares, of the processor time that the main thread did have.
 */
function shareOf({ mainUs }: Usage, times: ReadonlyMap<Stage, number>): number {
  const wallUs = [...times.values()].reduce((sum, us) => sum + us, 0);
  return (mainUs ?? wallUs) / wallUs;
}

function othersUs(usage: Usage | undefined): number {
  return (usage?.cpuUs ?? 0) - (usage?.mainUs ?? 0);
}

function showFunctions({ puts, usages }: Measured): void {
  for (const [at, name] of ['leader', 'follower'].entries()) {
    const usage = usages[at];
    if (usage?.profile === undefined) continue;
    const share = shareOf(usage, timeByStage(usage.profile));
    const rows = timeByFunction(usage.profile)
      .slice(0, functionsShown)
      .map(([title, us]) => [title, ((us * share) / puts).toFixed(3)]);
    console.log(`\n${formatTable([`functions of the ${name}`, 'us per put'], rows)}`);
  }
}
