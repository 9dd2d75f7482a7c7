// The data directories in test/compat/data-v1.json.gz: three members a, b and c as a real store left
// them. c was away until the others had truncated their logs, so it lives on in the state of a snapshot
// that it installed. What is in them is told twice: by the history below, which the writer went
// through, and by facts that it read off the finished files.
import { readdir } from 'node:fs/promises';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { systemEnv } from '../../src/preset/system-env.js';
import { readMemberFile } from '../../src/storage/member-file.js';
import { nodeFileSystem as fs } from '../../src/storage/node-fs/index.js';
import { readStatePointer } from '../../src/storage/state-pointer.js';
import { readWal } from '../../src/storage/wal/index.js';
import type { Store } from '../../src/store/store.js';
import { Place } from '../preset/place.js';
import { filesBelow, pack } from './data-archive.js';

/** The newest format's archive; those of older ones stay beside it. */
export const archive = `${import.meta.dirname}/data-v1.json.gz`;

export const names = ['a', 'b', 'c'] as const;
export type Name = (typeof names)[number];

/** Every key, value and option of a call; revisions follow from the order. */
type Change =
  | { readonly put: string | Uint8Array; readonly value: string; readonly lease?: bigint }
  | { readonly delete: string };

/**
 * Where the archive's members are opened again, too: their list of members names these. Below the ports that a system
 * gives to those who ask for any.
 */
export const addresses: Readonly<Record<Name, string>> = {
  a: '127.0.0.1:27101',
  b: '127.0.0.1:27102',
  c: '127.0.0.1:27103',
};

/** By id. */
export const leases = [
  { id: -1n, ttlSeconds: 5_000_000 },
  { id: 77n, ttlSeconds: 1_000_000 },
];

/** Readable from here on. */
export const compactRevision = 10;

const large = 'x'.repeat(10_000);

/** While all are there. */
export const early: readonly Change[] = [
  { put: 'k0', value: 'first' },
  { put: new Uint8Array([0, 255, 0]), value: '' },
  { put: 'é', value: 'ü' },
  { put: 'leased', value: '1', lease: 77n },
];

/** While c is away. */
export const missed: readonly Change[] = [
  ...Array.from({ length: 60 }, (_, nth) => ({ put: `k${nth % 7}`, value: `${nth}${large}` })),
  { delete: 'k3' },
  { put: 'leased', value: '2', lease: -1n },
];

/** Behind the snapshot. */
export const late: readonly Change[] = [
  { put: 'k3', value: 'again' },
  { delete: 'é' },
  { put: 'last', value: 'put' },
];

/** What the writer found in the files of a member. */
export interface Facts {
  readonly dirId: string;
  readonly memberId: number;
  readonly pointer: string | undefined;
  readonly segments: readonly number[];
  /** Entry before the log's first one. */
  readonly base: number;
  readonly last: { readonly term: number; readonly index: number };
  readonly hardState: { readonly term: number; readonly vote: number; readonly commit: number };
  readonly voters: readonly number[];
}

export async function factsOf(dir: string): Promise<Facts> {
  const member = await readMemberFile(fs, dir);
  if (member === undefined) throw new Error(`expected a member file in ${dir}`);
  const { history, segments } = await readWal({ fs, dir: `${dir}/wal` });
  return {
    ...{ dirId: member.dirId, memberId: member.memberId, segments },
    pointer: await readStatePointer(fs, dir),
    base: history.terms.base,
    last: history.terms.lastId,
    hardState: history.hardState,
    voters: history.configurationAt(history.terms.last).voters ?? [],
  };
}

/** Opens one of them, with little kept of its log. */
export async function openMember(options: {
  readonly name: string;
  readonly dir: string;
  readonly cluster: Record<string, string>;
}): Promise<Store> {
  const retention = { entriesMin: 10, bytesMin: 4_096, bytesMax: 65_536 };
  const tuning = { segmentBytes: 65_536, retention };
  const config = { ...storeConfig({ tickMs: 10, ...options }), tuning };
  return openStoreOn(await systemEnv(config), config);
}

/** Makes the archive anew: `KONTIKI_REWRITE=1 npx vitest run test/compat/data-directories`. */
export async function writeArchive(): Promise<void> {
  const place = await Place.make();
  try {
    const cluster = addresses;
    const open = (name: Name) => openMember({ name, cluster, dir: place.dir(name) });
    const [a, b, c] = (await Promise.all(names.map(open))) as [Store, Store, Store];
    await place.met(...names);
    for (const { id, ttlSeconds } of leases) await a.lease(ttlSeconds, { id });
    await make(a, early);
    await c.close();
    await make(a, missed);
    await a.compact(compactRevision);
    await until(async () => (await isTruncated(place.dir('a'))) && isTruncated(place.dir('b')));
    const back = await open('c');
    await until(() => back.status().revision === a.status().revision);
    // Opened again, LevelDB turns its log into a table: one of the three has both.
    await a.close();
    const again = await open('a');
    await make(back, late);
    const others = [again, b];
    await until(() => others.every((one) => one.status().revision === back.status().revision));
    for (const store of [back, b, again]) await store.close();
    const facts: Record<string, Facts> = {};
    for (const name of names) facts[name] = await factsOf(place.dir(name));
    const files = filesBelow(place.dir('.')).entries();
    pack(archive, new Map([...files].filter(([path]) => !/\/LOG(\.old)?$/.test(path))), facts);
  } finally {
    await place.close();
  }
}

async function make(store: Store, changes: readonly Change[]): Promise<void> {
  for (const change of changes) {
    if ('put' in change) await store.put(change.put, change.value, { lease: change.lease });
    else await store.delete(change.delete);
  }
}

const isTruncated = async (dir: string) =>
  !(await readdir(`${dir}/wal`)).includes('0000000000000001.wal');

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}
