// Goal: `kontiki check` says ok of no member that does not open, and tells of alarms, which outlive it.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sessionIdEnd } from '../../src/base/session-id.js';
import { encodeCommand } from '../../src/codec/command-codec.js';
import { readMemberFile, writeMemberFile } from '../../src/storage/member-file.js';
import { nodeFileSystem as fs } from '../../src/storage/node-fs/index.js';
import { openWal } from '../../src/storage/wal/index.js';
import { Place } from '../preset/place.js';
import { run } from './cli.js';

let place: Place;
let dir: string;
beforeEach(async () => {
  place = await Place.make();
  dir = place.dir('member');
  const store = await place.open({ dir });
  await store.put('k', '1');
  await store.close();
});
afterEach(() => place.close());

test('a member that was set aside -> status 2, and why it does not open', async () => {
  const record = await readMemberFile(fs, dir);
  await writeMemberFile(fs, dir, { ...(record as NonNullable<typeof record>), rolledBack: true });
  await expect(place.open({ dir })).rejects.toMatchObject({ code: 'MEMBER_ROLLED_BACK' });
  const { code, errors, out } = await run('check', dir);
  expect({ code, errors }).toEqual({
    code: 2,
    errors: expect.stringMatching('MEMBER_ROLLED_BACK'),
  });
  expect(out).not.toMatch(/^(ok|damage.*)$/m);
  // The rest was looked at all the same.
  expect(out).toMatch(/^keys +1,/m);
});

test('alarms that are raised -> how many', async () => {
  expect((await run('check', dir)).out).toMatch(/^alarms +none$/m);
  const log = await openWal({ fs, dir: `${dir}/wal`, voters: [] });
  const index = log.lastIndex() + 1;
  const term = log.term(index - 1) as number;
  const data = encodeCommand({
    ...{ session: sessionIdEnd, seq: 1, doneBelow: 0 },
    command: { op: 'alarm', member: 7, isRaised: true },
  });
  await log.append({ entries: [{ term, index, type: 'normal', data }], mustSync: true });
  await log.close();
  const store = await place.open({ dir });
  await store.alarms();
  await store.close();
  const { code, out } = await run('check', dir);
  expect(code).toBe(0);
  expect(out).toMatch(/^alarms +1 raised$/m);
});
