// Whom one that joins asks, and what it makes of the answers.
import { expect, test } from 'vitest';
import { joinGroup } from '../../src/assembly/join-group.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { encodeJoinAnswer } from '../../src/codec/membership-codec.js';
import type { Env } from '../../src/node/env.js';
import { VirtualTime } from '../node/virtual-time.js';

const members = [{ id: 4, name: 'd', address: 'd:1', promote: false }];
const known = encodeJoinAnswer({
  ...{ kind: 'member', clusterId: 7, memberId: 4, founders: members, members },
});

/** @param answers - of each address; undefined: none */
function joining(answers: Readonly<Record<string, Uint8Array | undefined>>) {
  const time = new VirtualTime();
  const asked: string[] = [];
  const inquire = async (address: string) => {
    asked.push(address);
    return answers[address];
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
