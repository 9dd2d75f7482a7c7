/**
 * The failover demo: three processes, one keyspace, the leader killed in the middle of the load,
 * nothing lost. `npm run demo`; README.md beside this file says what to look at.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Cluster } from './cluster.js';
import { findFiles } from './files.js';
import { Load } from './load.js';
import type { MemberProcess } from './member-process.js';
import { Progress } from './progress.js';
import { type Outcome, report } from './report.js';
import { formatCount } from './table.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const phaseMs = 3_000;
/** Nothing here takes this long; a run that does has hung. */
const hangMs = 120_000;

async function main(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'kontiki-failover-'));
  const cluster = await Cluster.create(folder);
  const progress = new Progress();
  try {
    const outcome = await Promise.race([run(cluster, progress), interrupted()]);
    progress.stop();
    return report(outcome);
  } finally {
    progress.stop();
    await cluster.killAll();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Rejects when somebody stops the demo, or when it hangs. */
async function interrupted(): Promise<never> {
  const signals = ['SIGINT', 'SIGTERM'].map((signal) => once(process, signal).then(() => signal));
  const hang = sleep(hangMs, `not being done within ${hangMs / 1_000} s`, { ref: false });
  throw new Error(`stopped by ${await Promise.race([...signals, hang])}`);
}

async function run(cluster: Cluster, progress: Progress): Promise<Outcome> {
  const startMs = performance.now();
  progress.start('looking for files');
  const files = await findFiles(root);
  progress.start(`starting three members, ${formatCount(files.items.length)} files to load`);
  await cluster.startAll();
  const firstRevision = (await (await cluster.leader()).ask('status')).revision;

  const load = new Load(files.items);
  const written = () => `${formatCount(load.total.acknowledged)} puts acknowledged`;
  const loadStartMs = performance.now();
  for (const member of cluster.members) load.add(member);
  progress.start('load on all three members:', written);
  await during(load, phaseMs);
  const steadyPuts = load.total.acknowledged;
  const steadyMs = performance.now() - loadStartMs;

  const killed = await cluster.leader();
  progress.start(`leader ${killed.name} killed, load goes on:`, written);
  const { leaderlessMs } = await killLeader(cluster, killed);
  await during(load, phaseMs);

  progress.start(`${killed.name} starts again from its directory:`, written);
  const back = await restart(cluster, killed.name, load);
  while (!load.hasSentAll) await during(load, 100);
  await load.stop(cluster.members);
  const loadMs = performance.now() - loadStartMs;

  progress.start('comparing every key on each member with its file');
  const watchers = cluster.members.filter((member) => member.name !== killed.name);
  const revision = (await (await cluster.leader()).ask('status')).revision;
  const seen = await watched(watchers, revision - firstRevision);
  const members = await compareAll(cluster, files.items);
  await cluster.closeAll();
  const totalMs = performance.now() - startMs;
  const revisions = revision - firstRevision;
  const times = { steadyPuts, steadyMs, loadMs, leaderlessMs, ...back, totalMs };
  return { files, load, killed: killed.name, revisions, seen, members, times };
}

/** Lets the load run on for so long, and throws as soon as it fails. */
async function during(load: Load, ms: number): Promise<void> {
  for (let endMs = performance.now() + ms; performance.now() < endMs; ) {
    await sleep(50);
    load.check();
  }
}

/** @returns how long no write was acknowledged: from the kill to the first one under a new leader */
async function killLeader(
  cluster: Cluster,
  leader: MemberProcess,
): Promise<{ readonly leaderlessMs: number }> {
  const acknowledged = cluster.firstAcknowledgedWithout(leader.name);
  const killedAtMs = Date.now();
  await leader.kill();
  return { leaderlessMs: (await acknowledged) - killedAtMs };
}

/** @returns how long the member took to open, and then to know everything the others knew */
async function restart(
  cluster: Cluster,
  name: string,
  load: Load,
): Promise<{ readonly openMs: number; readonly catchUpMs: number }> {
  const startMs = performance.now();
  const member = await cluster.start(name);
  const openMs = performance.now() - startMs;
  // A linearizable read answers only once all that was acknowledged before it is here.
  await member.ask('status');
  const catchUpMs = performance.now() - startMs - openMs;
  load.add(member);
  await during(load, 1_000);
  return { openMs, catchUpMs };
}

/** Waits, not for ever, until the watchers have seen so many events. */
async function watched(
  watchers: readonly MemberProcess[],
  eventCount: number,
): Promise<Outcome['seen']> {
  const seen = new Map<string, { events: number; fault: string | undefined }>();
  for (const watcher of watchers) {
    for (let tries = 0; tries < 100; tries += 1) {
      const { events, watchFault } = await watcher.ask('status');
      seen.set(watcher.name, { events, fault: watchFault });
      if (events >= eventCount) break;
      await sleep(50);
    }
  }
  return seen;
}

async function compareAll(
  cluster: Cluster,
  items: Parameters<Cluster['compare']>[1],
): Promise<Outcome['members']> {
  const compareOne = async (member: MemberProcess) => ({
    name: member.name,
    keys: await member.ask('countKeys'),
    different: await cluster.compare(member, items),
  });
  return Promise.all(cluster.members.map(compareOne));
}

process.exitCode = (await main()) ? 0 : 1;
