/** What is done to a cluster of processes, one thing at a time, each undone before it returns. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Cluster } from './cluster.js';
import type { MemberProcess } from './member-process.js';

/** Does its harm to a member, waits, and makes it good; a member may have stopped meanwhile. */
export type RealFault = (cluster: Cluster, member: MemberProcess) => Promise<void>;

const shortMs = 1_000;
const pausedMs = 5_000;
const cutMs = 4_000;

/** The second: all that its options know of were wiped before it, and are others now. */
const wipedCodes = ['MEMBER_IDENTITY_CHANGED', 'MEMBER_UNKNOWN'];

const others = (cluster: Cluster, member: MemberProcess) =>
  cluster.members.filter((each) => each !== member);

async function isolate(cluster: Cluster, member: MemberProcess): Promise<void> {
  cluster.cut(member, others(cluster, member));
  for (const each of others(cluster, member)) cluster.cut(each, [member]);
  await wait(cutMs);
  cluster.heal();
}

export const realFaults: Readonly<Record<string, RealFault>> = {
  killed: async (_, member) => {
    await member.kill();
    await wait(shortMs);
  },
  'leader killed': async (cluster) => {
    await (await cluster.leader()).kill();
    await wait(shortMs);
  },
  paused: async (_, member) => {
    member.signal('SIGSTOP');
    await wait(pausedMs);
    member.signal('SIGCONT');
  },
  'leader paused': async (cluster) => {
    const leader = await cluster.leader();
    leader.signal('SIGSTOP');
    await wait(pausedMs);
    leader.signal('SIGCONT');
  },
  restarted: async (_, member) => {
    await member.close();
  },
  'disk full': async (_, member) => {
    member.disk('full');
    await wait(cutMs);
    member.disk('fine');
  },
  'disk slow': async (_, member) => {
    member.disk('slow');
    await wait(cutMs);
    member.disk('fine');
  },
  'one way cut': async (cluster, member) => {
    cluster.cut(member, others(cluster, member));
    await wait(cutMs);
    cluster.heal();
  },
  'other way cut': async (cluster, member) => {
    for (const each of others(cluster, member)) cluster.cut(each, [member]);
    await wait(cutMs);
    cluster.heal();
  },
  isolated: isolate,
  'leader isolated': async (cluster) => isolate(cluster, await cluster.leader()),
  wiped: async (cluster, member) => {
    await cluster.wipe(member);
    const how = await member.start();
    // Who got no answer in time starts, and stops when it is told.
    if (how === 'open') await member.ended();
    else if (!wipedCodes.includes(how)) throw new Error(`a wiped member starts: ${how}`);
    await cluster.rejoin(member, cluster.other(member));
  },
  'all down': async (cluster) => {
    await Promise.all(cluster.members.map((each) => each.kill()));
  },
};
