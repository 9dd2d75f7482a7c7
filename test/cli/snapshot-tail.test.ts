// Goal: `kontiki snapshot save` has all that was acknowledged where one member decides by itself, and says how much
// it does not know where several do.
import { mkdir } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tokenHash } from '../../src/assembly/data-directory.js';
import { sessionIdEnd } from '../../src/base/session-id.js';
import { encodeCommand } from '../../src/codec/command-codec.js';
import { encodeConfChange } from '../../src/raft/index.js';
import type { Entry } from '../../src/raft/types.js';
import { writeMemberFile } from '../../src/storage/member-file.js';
import { nodeFileSystem as fs } from '../../src/storage/node-fs/index.js';
import { openWal } from '../../src/storage/wal/index.js';
import { Place } from '../preset/place.js';
import { run } from './cli.js';

let place: Place;
let file: string;
beforeEach(async () => {
  place = await Place.make();
  file = place.dir('store.backup');
});
afterEach(() => place.close());

/** Gives a stopped member an entry that it has not heard to be committed; default a put. */
async function appendTo(dir: string, proposal?: Pick<Entry, 'type' | 'data'>): Promise<void> {
  const log = await openWal({ fs, dir: `${dir}/wal`, voters: [] });
  const index = log.lastIndex() + 1;
  const term = log.term(index - 1) as number;
  const data = encodeCommand({
    ...{ session: sessionIdEnd, seq: 1, doneBelow: 0 },
    command: { op: 'put', key: 'last', value: Uint8Array.of(1) },
  });
  const entry = { term, index, ...(proposal ?? { type: 'normal', data }) };
  await log.append({ entries: [entry], mustSync: true });
  await log.close();
}

test('one of several with entries that it did not hear to be committed -> says how many', async () => {
  const cluster = await place.cluster('a', 'b');
  const [a, b] = await Promise.all(
    ['a', 'b'].map((name) => place.open({ name, cluster, dir: place.dir(name) })),
  );
  const { revision } = (await a?.put('k', '1')) ?? {};
  await Promise.all([a?.close(), b?.close()]);
  const undecided = async (nth: number) => {
    const saved = await run('snapshot', 'save', file + nth, '--dir', place.dir('a'));
    expect(saved).toMatchObject({ code: 0, errors: '' });
    expect(saved.out).toMatch(/^note {9}.*others may have acknowledged more$/m);
    expect(saved.out).toMatch(new RegExp(`^revision {5}${revision},`, 'm'));
    const goesOn = /^note {9}its log goes on for (\d+) entr(?:y|ies), which may have been ack/m;
    return Number(goesOn.exec(saved.out)?.[1] ?? 0);
  };
  const before = await undecided(1);
  await appendTo(place.dir('a'));
  expect(await undecided(2)).toBe(before + 1);
});

test('a lone voter beside a learner, behind a pledge -> all of its log, which it alone decides', async () => {
  const { a, b } = (await place.cluster('a', 'b')) as { a: string; b: string };
  const dir = place.dir('a');
  const store = await place.open({ name: 'a', dir, listen: a });
  await store.members.add('b', b, { autoPromote: false });
  await store.setLeaseReads(true);
  const { revision } = await store.put('k', '1');
  expect(store.status()).toMatchObject({ isOnlyVoter: true, members: ['a', 'b'] });
  await store.close();
  await appendTo(dir);
  const saved = await run('snapshot', 'save', file, '--dir', dir);
  expect(saved).toMatchObject({ code: 0, errors: '' });
  expect(saved.out).toMatch(new RegExp(`^revision {5}${revision + 1},`, 'm'));
  expect(saved.out).not.toMatch(/^note/m);
});

test('a lone voter whose log makes another one a voter -> all of its log, and that others may know more', async () => {
  const dir = place.dir('a');
  const { a } = (await place.cluster('a')) as { a: string };
  const store = await place.open({ name: 'a', dir, listen: a });
  const { revision } = await store.put('k', '1');
  await store.close();
  await appendTo(dir);
  const { type, data } = encodeConfChange({ type: 'add-voter', memberId: 99 });
  await appendTo(dir, { type, data });
  const saved = await run('snapshot', 'save', file, '--dir', dir);
  expect(saved).toMatchObject({ code: 0, errors: '' });
  expect(saved.out).toMatch(new RegExp(`^revision {5}${revision + 1},`, 'm'));
  expect(saved.out).toMatch(/^note {9}.*others may have acknowledged more$/m);
}, 30_000);

test('one that joined and died before it heard of itself -> not waited for: it never leads', async () => {
  const dir = place.dir('b');
  const founder = { id: 7, name: 'a', address: 'localhost:7' };
  await mkdir(`${dir}/state`, { recursive: true });
  await (await openWal({ fs, dir: `${dir}/wal`, voters: [founder.id] })).close();
  await writeMemberFile(fs, dir, {
    ...{ format: 1, clusterId: 3, memberId: 8, name: 'b', dirId: '0'.repeat(32), peers: [] },
    ...{ token: tokenHash('kontiki'), members: [founder] },
  });
  const saved = await run('snapshot', 'save', file, '--dir', dir);
  expect(saved).toMatchObject({ code: 0, errors: '' });
  expect(saved.out).toMatch(/^note {9}.*others may have acknowledged more$/m);
}, 30_000);
