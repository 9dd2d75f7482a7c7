/**
 * P11: how long a cluster of three processes takes to serve again when its leader goes, by `SIGKILL` or
 * because nothing gets to it or from it any more. Members have default timings and clients of their own.
 *
 * Run: `npm run bench -- failover [--seconds N]`; more seconds are more rounds.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Cluster } from '../test/real-faults/cluster.js';
import type { MemberProcess } from '../test/real-faults/member-process.js';
import { type Notice, nowUs } from '../test/real-faults/protocol.js';
import type { Benchmark } from './benchmark.js';
import { formatTable } from './table.js';

/** A leader is given this long under load before it goes. */
const calmMs = 1_500;
/** What a round takes, about: the calm, the outage, and catching up. */
const roundSeconds = 4;

interface Write {
  readonly member: string;
  readonly callUs: number;
  returnUs?: number;
}

/** Every write that succeeded or may still. */
class Writes {
  #all = new Map<string, Write>();

  take(member: string, notice: Notice): void {
    if (notice.tell === 'call' && notice.input.op === 'write') {
      this.#all.set(notice.call, { member, callUs: notice.at });
    } else if (notice.tell === 'return') {
      const write = this.#all.get(notice.call);
      if (write === undefined) return;
      if (notice.outcome === 'ok') write.returnUs = notice.at;
      else this.#all.delete(notice.call);
    }
  }

  /** Milliseconds from `sinceUs` until a member but `gone` had a write acknowledged, if one had. */
  firstAfter(sinceUs: number, gone: string): number | undefined {
    return this.#least(sinceUs, gone, ({ callUs }) => callUs > sinceUs);
  }

  /** The same of the writes that others had under way then: the slowest of those that succeeded. */
  slowestUnderWay(sinceUs: number, gone: string): number | undefined {
    const under = [...this.#all.values()].filter(
      ({ member, callUs, returnUs = 0 }) =>
        member !== gone && callUs < sinceUs && returnUs > sinceUs,
    );
    if (under.length === 0) return undefined;
    return (Math.max(...under.map(({ returnUs = 0 }) => returnUs)) - sinceUs) / 1_000;
  }

  forget(): void {
    this.#all = new Map();
  }

  #least(sinceUs: number, gone: string, counts: (write: Write) => boolean): number | undefined {
    let least: number | undefined;
    for (const write of this.#all.values()) {
      if (write.returnUs === undefined || write.member === gone || !counts(write)) continue;
      const ms = (write.returnUs - sinceUs) / 1_000;
      if (least === undefined || ms < least) least = ms;
    }
    return least;
  }
}

interface Way {
  readonly name: string;
  go(cluster: Cluster, leader: MemberProcess): Promise<void>;
  undo(cluster: Cluster, leader: MemberProcess): Promise<void>;
}

const ways: readonly Way[] = [
  {
    name: 'SIGKILL',
    go: (_, leader) => leader.kill(),
    undo: (cluster, leader) => cluster.open(leader),
  },
  {
    name: 'blackhole',
    go: async (cluster, leader) => {
      cluster.cut(leader, cluster.members);
      for (const member of cluster.members) cluster.cut(member, [leader]);
    },
    undo: async (cluster) => cluster.heal(),
  },
];

async function measure(cluster: Cluster, writes: Writes, way: Way, rounds: number) {
  const first: number[] = [];
  const underWay: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const leader = await cluster.leader();
    await wait(calmMs);
    writes.forget();
    await wait(50);
    const startUs = nowUs();
    await way.go(cluster, leader);
    let ms: number | undefined;
    while (ms === undefined) {
      await wait(20);
      ms = writes.firstAfter(startUs, leader.name);
    }
    await wait(200);
    first.push(ms);
    const slowest = writes.slowestUnderWay(startUs, leader.name);
    if (slowest !== undefined) underWay.push(slowest);
    await way.undo(cluster, leader);
    await cluster.untilWell();
  }
  return { first, underWay };
}

const at = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? Number.NaN;

export const run: Benchmark = async ({ seconds, folder, record }) => {
  const base = await mkdtemp(join(folder, 'kontiki-bench-failover-'));
  const writes = new Writes();
  const cluster = await Cluster.start(base, 3, (member, notice) => writes.take(member, notice));
  try {
    await cluster.untilWell();
    const rows: string[][] = [];
    const rounds = Math.max(3, Math.round(seconds / roundSeconds));
    for (const way of ways) {
      const found = await measure(cluster, writes, way, rounds);
      for (const [what, values] of [
        ['first write elsewhere', found.first],
        ['slowest write under way', found.underWay],
      ] as const) {
        const [p50, p99] = [at(values, 0.5), at(values, 0.99)];
        rows.push([`${way.name}: ${what}`, p50.toFixed(0), p99.toFixed(0), `${values.length}`]);
        const figure = { measure: `${way.name}, ${what}`, subject: 'kontiki', unit: 'ms' };
        record({ ...figure, value: p50 });
      }
    }
    console.log(formatTable(['the leader goes', 'p50 ms', 'p99', 'rounds'], rows));
  } finally {
    await cluster.end();
    await rm(base, { recursive: true, force: true });
  }
};
