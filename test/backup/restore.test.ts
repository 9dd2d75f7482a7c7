// A backup of a real store becomes a new cluster on real directories: same content, other ids; and every
// reason not to restore is found before a byte is written.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backupFormatVersion } from '../../src/backup/header.js';
import { crc32 } from '../../src/base/crc32.js';
import { restoreStore } from '../../src/preset/restore-store.js';
import { readMemberFile } from '../../src/storage/index.js';
import { nodeFileSystem as fs } from '../../src/storage/node-fs/index.js';
import type { Store } from '../../src/store/store.js';
import { listing, Place } from '../preset/place.js';
import { bytesOf, contentOf, fill } from './backed-up.js';

let place: Place;
let from: string;

beforeEach(async () => {
  place = await Place.make();
  from = place.dir('store.backup');
  await mkdir(place.dir('.'), { recursive: true });
});

afterEach(() => place.close());

/** Takes a backup of a store with something in it. */
async function backedUp(): Promise<{ store: Store; revision: number }> {
  const store = await place.open({ dir: place.dir('lost') });
  const revision = await fill(store);
  const backup = store.backup();
  await writeFile(from, await bytesOf(backup));
  expect(backup.info?.revision).toBe(revision);
  return { store, revision };
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error) => error.code,
  );

describe('restore', () => {
  test('a single store -> keys, history, revisions and leases as they were, and writes go on', async () => {
    const { store, revision } = await backedUp();
    const before = await contentOf(store, 6);
    await store.put('later', 'is not in it');
    await store.close();
    const dir = place.dir('restored');
    const member = await restoreStore({ from, dir });
    expect(member.revision).toBe(revision);
    const lost = await readMemberFile(fs, place.dir('lost'));
    expect(member.clusterId).not.toBe(lost?.clusterId);
    expect(member.memberId).not.toBe(lost?.memberId);
    const restored = await place.open({ dir });
    expect(await contentOf(restored, 6)).toEqual(before);
    await expect(restored.get('k0', { revision: 5 })).rejects.toMatchObject({ code: 'COMPACTED' });
    expect(await restored.put('next', '1')).toMatchObject({ revision: revision + 1 });
    await restored.close();
    const again = await place.open({ dir });
    expect((await again.get('next'))?.text()).toBe('1');
    expect(existsSync(place.dir('escape'))).toBe(false);
    const names = (await readdir(dir)).map((name) => name.replace(/^state-[0-9a-f]{16}$/, 'state'));
    expect(names.sort()).toEqual(
      ['lock', 'lock.d', 'member.json', 'snapshots', 'state', 'state.current', 'wal'].sort(),
    );
  });

  test('three members -> one cluster; who was not restored along, or otherwise, stays out', async () => {
    const { store, revision } = await backedUp();
    const other = place.dir('other.backup');
    await store.put('later', '1');
    await writeFile(other, await bytesOf(store.backup()));
    const names = ['a', 'b', 'c', 'd'];
    const cluster = await place.cluster(...names);
    const dirOf = (name: string) => place.dir(`new-${name}`);
    const ids = new Set<number>();
    for (const name of ['a', 'b']) {
      const options = { from, name, cluster, dir: dirOf(name) };
      ids.add((await restoreStore(options)).clusterId);
    }
    await restoreStore({ from: other, name: 'c', cluster, dir: dirOf('c') });
    const open = (name: string) => place.open({ name, cluster, dir: dirOf(name) });
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(open));
    expect(ids.size).toBe(1);
    expect(await codeOf(open('d'))).toBe('CLUSTER_MISMATCH');
    // Two of four: no majority, so nothing is acknowledged.
    for (const one of [a, c]) {
      expect(await codeOf(one?.put('k', '1', { timeoutMs: 300 }) as never)).toBe('NO_LEADER');
    }
    await c?.close();
    await rm(dirOf('c'), { recursive: true });
    await restoreStore({ from, name: 'c', cluster, dir: dirOf('c') });
    const back = await open('c');
    expect(await b?.put('k', '1', { timeoutMs: 20_000 })).toMatchObject({ revision: revision + 1 });
    expect((await back.get('leased'))?.lease).toBe(77n);
    expect(back.status().revision).toBe(revision + 1);
  }, 30_000);

  test('a bumped revision -> later ones follow it, all before counts as compacted', async () => {
    const { store, revision } = await backedUp();
    const pairs = (await contentOf(store, revision)).content[0];
    const dir = place.dir('bumped');
    const bumped = revision + 1_000;
    expect((await restoreStore({ from, dir, bumpRevision: 1_000 })).revision).toBe(bumped);
    const restored = await place.open({ dir });
    expect((await contentOf(restored, bumped)).content).toEqual([pairs]);
    const watch = restored.watch('k0', { fromRevision: revision });
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'COMPACTED',
      compactRevision: bumped,
    });
    expect(await restored.put('k0', 'next')).toMatchObject({ revision: bumped + 1 });
    expect((await restored.get('k0', { revision: bumped }))?.text()).toBe('v10');
  });

  test('a store without a change -> restored, empty', async () => {
    const store = await place.open({});
    await writeFile(from, await bytesOf(store.backup()));
    await restoreStore({ from, dir: place.dir('empty'), bumpRevision: 5 });
    const restored = await place.open({ dir: place.dir('empty') });
    expect(await restored.put('k', '1')).toMatchObject({ revision: 7 });
  });

  test('a lease with little left -> it ends in the new cluster, too', async () => {
    const store = await place.open({ dir: place.dir('lost') });
    const lease = await store.lease(1);
    await store.put('ends', '1', { lease: lease.id });
    await writeFile(from, await bytesOf(store.backup()));
    await restoreStore({ from, dir: place.dir('restored') });
    const restored = await place.open({ dir: place.dir('restored') });
    expect((await restored.get('ends'))?.text()).toBe('1');
    for await (const { events } of restored.watch('ends')) if (events.length > 0) break;
    expect(await restored.get('ends')).toBeUndefined();
    expect(await restored.leases()).toEqual([]);
  });
});

describe('restore refuses', () => {
  test('a directory with something in it -> DIR_NOT_EMPTY, nothing is changed', async () => {
    await backedUp();
    const dir = await place.emptyDir('taken');
    await restoreStore({ from, dir });
    const before = await listing(dir);
    expect(await codeOf(restoreStore({ from, dir }))).toBe('DIR_NOT_EMPTY');
    expect(await listing(dir)).toEqual(before);
    expect(await codeOf(restoreStore({ from, dir: place.dir('lost') }))).toBe('DIR_NOT_EMPTY');
  });

  test('a directory with what attempts to lock it left -> restored', async () => {
    await backedUp();
    const dir = await place.emptyDir('tried');
    await writeFile(`${dir}/lock.4194305.0`, '');
    await restoreStore({ from, dir });
    expect(await readdir(dir)).not.toContain('lock.4194305.0');
  });

  test('cut, altered, foreign, missing, later: typed, and the directory is not even made', async () => {
    await backedUp();
    const good = await readFile(from);
    const dir = place.dir('target');
    const edit = (change: (bytes: Buffer) => Buffer) => writeFile(from, change(Buffer.from(good)));
    const later = (bytes: Buffer) => {
      bytes.writeUInt16BE(backupFormatVersion + 1, 4);
      bytes.writeUInt32BE(crc32(bytes.subarray(0, 48)), 48);
      return bytes;
    };
    const flip = (at: number) => (bytes: Buffer) => {
      bytes[at] = bytes.readUInt8(at) ^ 4;
      return bytes;
    };
    const cases: [(bytes: Buffer) => Buffer, string][] = [
      [(bytes) => bytes.subarray(0, bytes.length - 1), 'SNAPSHOT_CORRUPT'],
      [() => Buffer.alloc(0), 'SNAPSHOT_CORRUPT'],
      [() => Buffer.from('{"not": "a backup"}'.repeat(10)), 'SNAPSHOT_CORRUPT'],
      [(bytes) => Buffer.concat([bytes, Buffer.alloc(1)]), 'SNAPSHOT_CORRUPT'],
      [(bytes) => Buffer.concat([bytes, bytes]), 'SNAPSHOT_CORRUPT'],
      [flip(good.length - 100), 'SNAPSHOT_CORRUPT'],
      [flip(5), 'SNAPSHOT_CORRUPT'],
      [later, 'FORMAT_UNSUPPORTED'],
    ];
    for (const [change, code] of cases) {
      await edit(change);
      expect(await codeOf(restoreStore({ from, dir }))).toBe(code);
      expect(existsSync(dir)).toBe(false);
    }
    await rm(from);
    expect(await codeOf(restoreStore({ from, dir }))).toBe('STORAGE_IO');
    expect(existsSync(dir)).toBe(false);
  });

  test('options that cannot be meant -> by name', async () => {
    const dir = place.dir('target');
    const refused = (options: object) => codeOf(restoreStore({ from, dir, ...options }));
    expect(await refused({ bumpRevision: 0 })).toBe('OPTIONS_INVALID');
    expect(await refused({ bumpRevision: 1.5 })).toBe('OPTIONS_INVALID');
    expect(await refused({ from: '' })).toBe('OPTIONS_INVALID');
    await expect(restoreStore(undefined as never)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
    });
    expect(await refused({ tickMs: 10 })).toBe('OPTIONS_INVALID');
    expect(await refused({ dir: undefined })).toBe('DIR_REQUIRED');
    expect(await refused({ name: 'x', cluster: { a: '127.0.0.1:1' } })).toBe('MEMBER_UNKNOWN');
    await backedUp();
    expect(await refused({ bumpRevision: Number.MAX_SAFE_INTEGER })).toBe('OPTIONS_INVALID');
    expect(existsSync(dir)).toBe(false);
  });
});
