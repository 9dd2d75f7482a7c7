// A backup that an earlier release wrote is restored by this one, with everything in it. One of a later
// format is refused in test/backup.
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { verifyBackup } from '../../src/backup/backup-file.js';
import { restoreStore } from '../../src/preset/restore-store.js';
import { nodeFileSystem as fs } from '../../src/storage/node-fs/index.js';
import { bytesOf, contentOf, fill } from '../backup/backed-up.js';
import { Place } from '../preset/place.js';

/** Format 1, of a store that `fill` filled. Anew: `KONTIKI_REWRITE=1 npx vitest run test/compat/backups`. */
const golden = `${import.meta.dirname}/store-v1.backup`;

let place: Place;

beforeEach(async () => {
  place = await Place.make();
  if (process.env.KONTIKI_REWRITE === undefined) return;
  const store = await place.open({ token: 'golden' });
  await fill(store);
  await writeFile(golden, await bytesOf(store.backup()));
});

afterEach(() => place.close());

test('format 1 -> its hash, and what is in it', async () => {
  const { audit, hash, info } = await verifyBackup({ fs, path: golden });
  expect(hash).toBe('02659ffc03d8184e84bde78b3c2ce15209cf0fca9539fc816ab73c6d6350c3d6');
  expect(info).toEqual({ clusterId: 5733312153250492, revision: 17, appliedIndex: 20, term: 1 });
  expect(audit.counts).toMatchObject({ keys: 7, leases: 1, attachments: 1 });
});

test('format 1 -> restored, equal to a store that went through the same', async () => {
  const dir = place.dir('restored');
  await restoreStore({ from: golden, dir });
  const restored = await place.open({ dir });
  const twin = await place.open({});
  await fill(twin);
  expect(await contentOf(restored, 6)).toEqual(await contentOf(twin, 6));
});
