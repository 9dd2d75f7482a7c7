// Whom one that joins asks, and what it makes of the answers.
import { expect, test } from 'vitest';
import { joinGroup } from '../../src/assembly/join-group.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { sleep } from '../../src/base/sleep.js';
import { encodeJoinAnswer } from '../../src/codec/membership-codec.js';
import type { Env } from '../../src/node/env.js';
import { VirtualTime } from '../node/virtual-time.js';

const members = [{ id: 4, name: 'd', address: 'd:1', promote: false }];
const known = encodeJoinAnswer({
  ...{ kind: 'member', clusterId: 7, memberId: 4, founders: members, members },
});

/** Of a transport, for an address where nobody says anything. */
const silenceMs = 2_000;
const silent = 'silent';
const mismatch = encodeJoinAnswer({ kind: 'refused', code: 'CLUSTER_MISMATCH', message: 'not us' });

/** @param answers - of each address; undefined: none, at once */
function joining(answers: Readonly<Record<string, Uint8Array | typeof silent | undefined>>) {
  const time = new VirtualTime();
  const asked: string[] = [];
  const inquire = async (address: string) => {
    asked.push(address);
    const answer = answers[address];
    if (answer !== silent) return answer;
    await sleep(time, silenceMs);
    return undefined;
  };
  const env = { clock: time, timers: time, transport: { inquire } } as unknown as Env;
  const join = Object.keys(answers);
  const options = { name: 'd', dir: 'data', bootstrap: 'existing', listen: 'd:1', join } as const;
  const joined = joinGroup(env, storeConfig({ ...options, timeoutMs: 250 }));
  joined.catch(() => undefined);
  return { asked, joined, time };
}

test('one answers what makes no sense -> the next one is asked', async () => {
  const { asked, joined } = joining({ 'a:1': Uint8Array.of(0xc1, 7), 'b:1': known });
  expect(await joined).toMatchObject({ clusterId: 7, memberId: 4 });
  expect(asked).toEqual(['a:1', 'b:1']);
});

test('one answers with a member that no group has -> the next one is asked', async () => {
  const founders = [{ ...members[0]!, name: '' }];
  const wrong = encodeJoinAnswer({ kind: 'member', clusterId: 7, memberId: 4, founders, members });
  const { asked, joined } = joining({ 'a:1': wrong, 'b:1': known });
  expect(await joined).toMatchObject({ founders: members });
  expect(asked).toEqual(['a:1', 'b:1']);
});

test('nobody else does -> asked until time is over, then that', async () => {
  const { asked, joined, time } = joining({ 'a:1': Uint8Array.of(0xc1, 7) });
  await time.run(1_000);
  expect(asked.length).toBeGreaterThan(1);
  await expect(joined).rejects.toMatchObject({ code: 'FORMAT_UNSUPPORTED' });
});

test('the first ones are silent -> the last one is heard at once', async () => {
  const { joined, time } = joining({ 'a:1': silent, 'b:1': silent, 'c:1': silent, 'd:1': known });
  await time.run(1);
  expect(await joined).toMatchObject({ clusterId: 7, memberId: 4 });
  await time.run(silenceMs);
  expect(time.pending).toBe(0);
});

test('all are silent -> TIMEOUT when time is over, and nobody is asked any more', async () => {
  const { asked, joined, time } = joining({ 'a:1': silent, 'b:1': silent, 'c:1': silent });
  await time.settle(joined).catch(() => undefined);
  await expect(joined).rejects.toMatchObject({ code: 'TIMEOUT' });
  expect(time.monotonicMs()).toBe(250);
  await time.run(10_000);
  expect(asked).toEqual(['a:1', 'b:1', 'c:1']);
  expect(time.pending).toBe(0);
});

test('one is of another cluster -> CLUSTER_MISMATCH, once nobody else can know better', async () => {
  const { joined, time } = joining({ 'a:1': undefined, 'b:1': mismatch });
  await expect(joined).rejects.toMatchObject({ code: 'CLUSTER_MISMATCH' });
  expect(time.monotonicMs()).toBe(0);
  const other = joining({ 'a:1': mismatch, 'b:1': known });
  expect(await other.joined).toMatchObject({ clusterId: 7 });
  const late = joining({ 'a:1': mismatch, 'b:1': silent });
  await late.time.run(250);
  await expect(late.joined).rejects.toMatchObject({ code: 'CLUSTER_MISMATCH' });
});
