// A crash in the middle of a snapshot install, and then the snapshot is damaged or gone as well: the log
// that it replaces is given up, so nobody can finish it, and the member refuses to start.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeFileSystem as fs } from '../../src/storage/node-fs/index.js';
import { SnapshotFiles } from '../../src/storage/snapshot-files/store.js';
import { openWal } from '../../src/storage/wal/index.js';
import { unpack } from '../compat/data-archive.js';
import { archive, openMember } from '../compat/data-directories.js';
import { Place } from './place.js';

let place: Place;
let dir: string;
let snapshot: string;
let appliedIndex: number;

/** Member c as it was when its log had been emptied for the snapshot, and its state not loaded yet. */
beforeEach(async () => {
  place = await Place.make();
  unpack(archive, place.dir('.'));
  dir = place.dir('c');
  const snapshots = await SnapshotFiles.open({ fs, dir: `${dir}/snapshots` });
  const [meta] = await snapshots.list();
  if (meta === undefined) throw new Error('expected the snapshot of the archive');
  await snapshots.close();
  [snapshot = ''] = readdirSync(`${dir}/snapshots`).map((name) => `${dir}/snapshots/${name}`);
  for (const name of readdirSync(dir)) {
    if (name === 'wal' || name.startsWith('state')) rmSync(`${dir}/${name}`, { recursive: true });
  }
  const { last, configuration } = meta;
  appliedIndex = last.index;
  const voters = configuration.voters ?? [];
  const log = await openWal({ fs, dir: `${dir}/wal`, voters, segmentBytes: 65_536 });
  const hardState = { term: last.term, vote: 0, commit: last.index };
  const mark = { last, configuration };
  await log.append({ snapshot: mark, entries: [], hardState, mustSync: true });
  await log.close();
});
afterEach(() => place.close());

async function open() {
  const cluster = await place.cluster('a', 'b', 'c');
  return openMember({ name: 'c', dir, cluster });
}

const advice = expect.stringMatching(/replace this member under a new id, or restore a backup$/);

describe('an install that a crash cut short', () => {
  test('the snapshot is whole -> finished', async () => {
    const store = await open();
    expect(store.status()).toMatchObject({ appliedIndex, revision: 67 });
    await store.close();
  });

  test('the snapshot is gone -> STATE_CORRUPT, again and again, and what to do', async () => {
    rmSync(snapshot);
    const refusal = { code: 'STATE_CORRUPT', message: advice };
    await expect(open()).rejects.toMatchObject(refusal);
    await expect(open()).rejects.toMatchObject(refusal);
  });

  test('the snapshot is damaged at an end -> counts as gone; inside -> SNAPSHOT_CORRUPT', async () => {
    const bytes = readFileSync(snapshot);
    const damagedAt = (at: number) => {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      writeFileSync(snapshot, damaged);
    };
    damagedAt(bytes.length - 1);
    await expect(open()).rejects.toMatchObject({ code: 'STATE_CORRUPT', message: advice });
    damagedAt(bytes.length >> 1);
    const inside = { code: 'SNAPSHOT_CORRUPT', file: snapshot, offset: expect.any(Number) };
    await expect(open()).rejects.toMatchObject(inside);
    // Nothing of the damaged one was taken for the state.
    writeFileSync(snapshot, bytes);
    const store = await open();
    expect(store.status()).toMatchObject({ appliedIndex, revision: 67 });
    await store.close();
  });
});
