// What an operator does to a cluster of real processes, with clients on every member all the while: no
// read fails within two seconds, no acknowledged write is lost, the history is linearizable.
//
// KONTIKI_DEPTH=12 runs each once, in a minute or two; KONTIKI_DEPTH=40 takes some ten minutes.
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { restoreStore } from '../../src/preset/restore-store.js';
import type { MemberProcess } from './member-process.js';
import type { Change } from './protocol.js';
import { Run } from './run.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const rounds = Math.max(1, Math.floor(depth / 8));
const roundMs = 180_000;
/** The shortest runs have time for one of them. */
const isShort = depth <= 1;
const founders = ['n1', 'n2', 'n3'];
const lookMs = 50;

let runs: Run[] = [];
afterEach(async () => {
  for (const run of runs) await run.end();
  runs = [];
});

async function begin(): Promise<Run> {
  const run = await Run.of(founders);
  runs.push(run);
  return run;
}

/** Until clients have been told of so many more writes. */
async function written({ journal }: Run, count: number): Promise<void> {
  const target = journal.count('ok') + count;
  while (journal.count('ok') < target) await wait(lookMs);
}

/** Judges, too, that nobody had to wait, and that members ended only as they were told to. */
async function judge(run: Run): Promise<readonly Change[]> {
  const all = await run.judge();
  expect(run.journal.failedReads()).toEqual([]);
  const told = /^(watch-ended: CLOSED|(watch-ended|failed): MEMBER_REMOVED)$/;
  expect(run.ended.filter((how) => !told.test(how))).toEqual([]);
  return all;
}

async function restart({ cluster }: Run, member: MemberProcess): Promise<void> {
  await member.close(true);
  await cluster.serve(member);
  await cluster.untilWell();
}

describe(`operations under load, ${rounds} times`, () => {
  test(
    'rolling restart -> no read fails, no write is lost',
    async () => {
      const run = await begin();
      for (let round = 0; round < rounds; round += 1) {
        for (const member of run.cluster.members) await restart(run, member);
      }
      await judge(run);
    },
    roundMs * rounds,
  );

  test(
    'rolling replacement 3 -> 5 -> 3, the leader too -> all original members are gone',
    async (context) => {
      context.skip(isShort, 'only with KONTIKI_DEPTH above 1');
      const run = await begin();
      const { cluster } = run;
      let made = founders.length;
      const add = async (via: MemberProcess): Promise<MemberProcess> => {
        made += 1;
        return cluster.add(`n${made}`, via);
      };
      for (let round = 0; round < rounds; round += 1) {
        const [a, b, c] = cluster.members as [MemberProcess, MemberProcess, MemberProcess];
        const d = await add(a);
        const e = await add(d);
        await cluster.untilWell();
        await cluster.remove(a, e);
        await cluster.remove(b, c);
        const f = await add(c);
        await cluster.remove(c, f);
        await cluster.untilWell();
        const names = (await cluster.change(f, { op: 'list' })).map(({ name }) => name);
        expect(names.sort()).toEqual([d, e, f].map(({ name }) => name).sort());
        await written(run, 50);
      }
      await judge(run);
    },
    roundMs * rounds,
  );

  test(
    'a backup -> a new cluster with new ids has what clients knew',
    async (context) => {
      context.skip(isShort, 'only with KONTIKI_DEPTH above 1');
      const run = await begin();
      const { cluster, journal } = run;
      await written(run, 300);
      const known = journal.newestRevision;
      const from = join(run.folder, 'store.backup');
      const [one, two] = cluster.members as [MemberProcess, MemberProcess];
      const revision = await two.backup(from);
      await written(run, 50);
      const idsBefore = (await cluster.change(one, { op: 'list' })).map(({ id }) => id);
      const all = await judge(run);
      expect(revision).toBeGreaterThanOrEqual(known);
      const kept = all.filter((change) => change.revision <= revision);
      expect(all.length).toBeGreaterThan(kept.length);

      const next = await Run.begin();
      runs.push(next);
      next.journal.beginWith(kept);
      await next.cluster.found(['m1', 'm2', 'm3'], async (member, addresses) => {
        const { dir, name } = member;
        const restored = await restoreStore({ from, name, dir, cluster: addresses });
        expect(restored.revision).toBe(revision);
        member.changes.push(...kept);
      });
      await written(next, 300);
      const [first] = next.cluster.members as [MemberProcess];
      const ids = (await next.cluster.change(first, { op: 'list' })).map(({ id }) => id);
      expect(ids.filter((id) => idsBefore.includes(id))).toEqual([]);
      await judge(next);
    },
    roundMs,
  );

  test(
    'another address, of a follower and of the leader -> found there, also by those who restart',
    async (context) => {
      context.skip(isShort, 'only with KONTIKI_DEPTH above 1');
      const run = await begin();
      const { cluster } = run;
      const leader = await cluster.leader();
      const moved = [cluster.other(leader), leader];
      const addressOf = async (member: MemberProcess) => {
        const members = await cluster.change(cluster.members[0] as MemberProcess, { op: 'list' });
        return members.find(({ name }) => name === member.name)?.address;
      };
      for (const member of moved) {
        const before = await addressOf(member);
        await cluster.move(member, cluster.other(member));
        await cluster.untilWell();
        expect(await addressOf(member)).not.toBe(before);
      }
      // Their options still have the old addresses.
      for (const member of cluster.members) await restart(run, member);
      await written(run, 100);
      await judge(run);
    },
    roundMs,
  );
});
