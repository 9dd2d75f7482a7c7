// Data directories that an earlier release wrote: whatever changes, this one opens them and finds all
// that was in them, and goes on. `KONTIKI_REWRITE=1` makes the archive of the present format anew.
import { readdirSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { utf8Bytes } from '../../src/base/bytes.js';
import { nodeFileSystem as fs } from '../../src/storage/node-fs/index.js';
import { SnapshotFiles } from '../../src/storage/snapshot-files/store.js';
import type { KeyValue } from '../../src/store/key-value.js';
import type { Store } from '../../src/store/store.js';
import { run } from '../cli/cli.js';
import { Place } from '../preset/place.js';
import { unpack } from './data-archive.js';
import * as data from './data-directories.js';
import { editRecords, raiseKeyspace } from './edits.js';

let place: Place;
let facts: Record<data.Name, data.Facts>;
let stores: Store[] = [];

beforeAll(async () => {
  if (process.env.KONTIKI_REWRITE === '1') await data.writeArchive();
});
beforeEach(async () => {
  place = await Place.make();
  facts = unpack(data.archive, place.dir('.')) as typeof facts;
});
afterEach(async () => {
  await Promise.all(stores.map((store) => store.close()));
  stores = [];
  await place.close();
});

async function openAll(): Promise<Record<data.Name, Store>> {
  const cluster = data.addresses;
  const opening = data.names.map(async (name) => {
    const store = await data.openMember({ name, cluster, dir: place.dir(name) });
    stores.push(store);
    return [name, store] as const;
  });
  return Object.fromEntries(await Promise.all(opening)) as Record<data.Name, Store>;
}

/** What a reader sees of a version. */
interface Seen {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: bigint | undefined;
}

const nameOf = (key: string | Uint8Array): string =>
  Buffer.from(typeof key === 'string' ? utf8Bytes(key) : key).toString('hex');

/** The keyspace at each revision, as the history of the archive says. */
function expectedStates(): Map<number, readonly Seen[]> {
  const states = new Map<number, readonly Seen[]>();
  const now = new Map<string, Seen>();
  let modRevision = 1;
  for (const change of [...data.early, ...data.missed, ...data.late]) {
    modRevision += 1;
    if ('put' in change) {
      const key = nameOf(change.put);
      const { createRevision = modRevision, version = 0 } = now.get(key) ?? {};
      const { value, lease } = change;
      now.set(key, { key, value, createRevision, modRevision, version: version + 1, lease });
    } else now.delete(nameOf(change.delete));
    states.set(
      modRevision,
      [...now.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
    );
  }
  return states;
}

function seen(kv: KeyValue): Seen {
  const { createRevision, modRevision, version, lease } = kv;
  return { key: nameOf(kv.key), value: kv.text(), createRevision, modRevision, version, lease };
}

const allOf = async (store: Store, revision?: number) =>
  (await store.range({ prefix: '', revision })).kvs.map(seen);

describe('the data directories of format 1', () => {
  test('opened -> every key, every revision and every lease, on each member', async () => {
    const members = await openAll();
    const states = expectedStates();
    const newest = Math.max(...states.keys());
    for (const [name, store] of Object.entries(members)) {
      expect(await allOf(store), name).toEqual(states.get(newest));
      expect(await store.leases(), name).toEqual(data.leases);
      expect(store.status(), name).toMatchObject({ revision: newest, members: [...data.names] });
      for (const [revision, state] of states) {
        const reading = allOf(store, revision);
        if (revision >= data.compactRevision) expect(await reading).toEqual(state);
        else await expect(reading).rejects.toMatchObject({ code: 'COMPACTED' });
      }
    }
  });

  test('opened, written to, closed, opened -> goes on behind its history', async () => {
    const newest = Math.max(...expectedStates().keys());
    const { b } = await openAll();
    expect((await b.put('k0', 'new', { lease: 77n })).revision).toBe(newest + 1);
    for (const store of stores) await store.close();
    const { c } = await openAll();
    expect((await c.get('k0'))?.text()).toBe('new');
    expect((await c.get('k0', { revision: newest }))?.text()).toMatch(/^56x{10000}$/);
    expect(await c.delete({ prefix: '' })).toMatchObject({ revision: newest + 2 });
  });

  test('read without opening -> members, term, commit and log as they were written', async () => {
    for (const name of data.names) expect(await data.factsOf(place.dir(name))).toEqual(facts[name]);
    // What the archive is there for: logs that rolled and were truncated, a table of LevelDB, a state
    // that was installed.
    for (const { segments } of [facts.a, facts.b]) expect(segments[0]).toBeGreaterThan(1);
    expect(facts.b.segments.length).toBeGreaterThan(1);
    const tables = readdirSync(place.dir('a/state')).filter((name) => name.endsWith('.ldb'));
    expect(tables).toHaveLength(1);
    expect(facts.a.pointer).toBeUndefined();
    expect(facts.c.pointer).toMatch(/^state-[0-9a-f]{16}$/);
  });

  test('the snapshot that was installed -> whole', async () => {
    const snapshots = await SnapshotFiles.open({ fs, dir: `${place.dir('c')}/snapshots` });
    const meta = await snapshots.latest();
    expect(snapshots.damaged).toEqual([]);
    expect(facts.c.pointer).toBe(`state-${meta?.last.index.toString(16).padStart(16, '0')}`);
    expect(meta?.configuration.voters).toEqual(facts.c.voters);
    let bytes = 0;
    if (meta !== undefined) for await (const chunk of snapshots.read(meta)) bytes += chunk.length;
    expect(bytes).toBeGreaterThan(10_000);
    await snapshots.close();
  });

  test('kontiki check -> ok, what is in them, the same state hash on all', async () => {
    const hashes = new Set<string | undefined>();
    for (const name of data.names) {
      const { code, out } = await run('check', place.dir(name));
      expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^ok$/m) });
      const { base, hardState, last } = facts[name];
      expect(out).toContain(`commit ${hardState.commit}`);
      expect(out).toMatch(new RegExp(`^entries +${base + 1} to ${last.index}$`, 'm'));
      expect(out).toMatch(/^revision +70, readable from 10$/m);
      expect(out).toMatch(/^leases +2, with 1 key$/m);
      hashes.add(/^state hash +([0-9a-f]{32})$/m.exec(out)?.[1]);
    }
    expect(hashes.size).toBe(1);
    expect(hashes).not.toContain(undefined);
  });

  test('of them one version of a key in a later format -> opened, a read of it says so', async () => {
    await editRecords(place.dir('c'), 'ck0', raiseKeyspace);
    const { a, c } = await openAll();
    await expect(c.get('k0')).rejects.toMatchObject({ code: 'FORMAT_UNSUPPORTED' });
    expect((await a.get('k0'))?.text()).toMatch(/^56x/);
    expect((await c.get('last'))?.text()).toBe('put');
  });
});
