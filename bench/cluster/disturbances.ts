/**
 * P6: what upkeep costs those who write meanwhile. Three durable members as three processes, 100 callers
 * on the leader; each round begins calm, then something goes on until its end. The worst second of the
 * second half stands against the median second of the first, in which all three are there.
 *
 * Logs are kept short, so that they are cut all the time, and a member that was away for a moment needs a
 * snapshot.
 *
 * Run: `npm run bench -- cluster/disturbances [--seconds N]`, N for each half.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Benchmark } from '../benchmark.js';
import { median } from '../median.js';
import { formatTable } from '../table.js';
import { type LoadResult, tallyMs } from './closed-loop.js';
import { KontikiCluster } from './kontiki-cluster.js';
import type { KontikiMember } from './kontiki-member.js';
import type { MemberFacts } from './member.js';

const mebibyte = 1024 * 1024;
const tuning = {
  segmentBytes: 2 * mebibyte,
  retention: { entriesMin: 1_000, bytesMin: 2 * mebibyte, bytesMax: 4 * mebibyte },
};
const callers = 100;
/** Compiles what is hot, and makes a history that is worth a backup. */
const warmUpMs = 5_000;
/** Until all callers of a half are at it. */
const rampMs = 500;
const windowTallies = 1_000 / tallyMs;
const bar = 0.8;

interface Round {
  readonly folder: string;
  readonly cluster: KontikiCluster;
  readonly leader: KontikiMember;
  readonly follower: KontikiMember;
  /** Milliseconds of a half. */
  readonly halfMs: number;
}

interface Disturbance {
  readonly name: string;
  /** Between the halves. */
  prepare?(round: Round): Promise<void>;
  /** From the beginning of the second half on; what it returns is shown. */
  act(round: Round): Promise<string>;
}

const facts = (member: KontikiMember) => member.ask<MemberFacts>({ ask: 'facts' });

const disturbances: readonly Disturbance[] = [
  {
    // What the machine does to the worst second by itself: the others are to be read against it.
    name: 'nothing',
    act: async () => '',
  },
  {
    name: 'log compaction',
    async act({ leader, halfMs }) {
      const { firstIndex } = await facts(leader);
      await wait(halfMs);
      return `${(await facts(leader)).firstIndex - firstIndex} entries dropped`;
    },
  },
  {
    name: 'backups, one after the other',
    async act({ folder, leader, halfMs }) {
      const endMs = performance.now() + halfMs;
      const path = join(folder, 'backup');
      let bytes = 0;
      while (performance.now() < endMs) bytes += await leader.ask<number>({ ask: 'backup', path });
      return `${(bytes / mebibyte).toFixed(0)} MiB`;
    },
  },
  {
    name: 'snapshot for a member that was away',
    async prepare({ leader, follower }) {
      const { appliedIndex } = await facts(follower);
      await follower.kill();
      const shape = { operation: 'put', callers, warmUpMs: 0, measureMs: 1_000 } as const;
      while ((await facts(leader)).firstIndex <= appliedIndex + 1) {
        await leader.ask({ ask: 'load', shape });
      }
    },
    async act({ cluster, follower }) {
      const startMs = performance.now();
      const again = await cluster.open(follower.name);
      // As long as there is more load than it can apply, it does not catch up.
      const installed = async () =>
        (await again.ask<MemberFacts>({ ask: 'facts', isNow: true })).snapshotsInstalled;
      while ((await installed()) === 0) await wait(tallyMs);
      return `installed after ${((performance.now() - startMs) / 1_000).toFixed(1)} s`;
    },
  },
  {
    name: 'history compaction',
    async act({ leader }) {
      return `up to revision ${await leader.ask<number>({ ask: 'compact' })}`;
    },
  },
];

export const run: Benchmark = async ({ seconds, folder: base, record }) => {
  const folder = await mkdtemp(join(base, 'kontiki-bench-'));
  const cluster = await KontikiCluster.start(folder, tuning);
  try {
    await cluster.run({ operation: 'put', callers, warmUpMs, measureMs: 1 });
    const rows: string[][] = [];
    for (const disturbance of disturbances) {
      const leader = await cluster.leader();
      const follower = cluster.members.find((member) => member !== leader) as KontikiMember;
      const round = { folder, cluster, leader, follower, halfMs: seconds * 1_000 };
      const { calm, worst, elections, note } = await measure(disturbance, round);
      const share = worst / calm;
      const isMet = share >= bar && elections === 0;
      rows.push([
        disturbance.name,
        ...[calm, worst].map((rate) => rate.toFixed(0)),
        ...[`${(100 * share).toFixed(0)} %`, `>= ${100 * bar} %`, `${elections}`],
        ...[isMet ? 'met' : 'missed', note],
      ]);
      console.log(`${disturbance.name}: ${(100 * share).toFixed(0)} %, ${note}`);
      const figure = { subject: 'kontiki', measure: disturbance.name };
      record({ ...figure, value: share, unit: 'of the median' });
    }
    const header = ['P6, puts/s', 'calm', 'worst 1 s', 'share', 'bar', 'elections', '', ''];
    console.log(`\n${formatTable(header, rows)}`);
  } finally {
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  }
};

/** The calm half is over before anybody is taken away: two members have more of the machine than three. */
async function measure({ prepare, act }: Disturbance, round: Round) {
  const { leader, halfMs } = round;
  const { term } = await facts(leader);
  const shape = { operation: 'put', callers, warmUpMs: rampMs, measureMs: halfMs } as const;
  const load = () => leader.ask<LoadResult>({ ask: 'load', shape });
  const before = await load();
  await prepare?.(round);
  const [note, { tally = [] }] = await Promise.all([wait(rampMs).then(() => act(round)), load()]);
  return {
    calm: median(windows(before.tally ?? [])),
    worst: Math.min(...windows(tally)),
    elections: (await facts(leader)).term - term,
    note,
  };
}

/** Answers in each second, a second beginning at every tally. */
function windows(tally: readonly number[]): number[] {
  const sums: number[] = [];
  for (let from = 0; from + windowTallies <= tally.length; from += 1) {
    sums.push(tally.slice(from, from + windowTallies).reduce((sum, count) => sum + count, 0));
  }
  return sums;
}
