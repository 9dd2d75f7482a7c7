// The names of a data directory and of the folders above it, on a real disk: synced at each open, before
// anything is written, as far as this user may.
import { chmod } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { kontikiError } from '../../src/base/errors.js';
import type { Env } from '../../src/node/index.js';
import { fixedDirectory } from '../../src/preset/fixed-paths.js';
import { systemEnv } from '../../src/preset/system-env.js';
import type { FileSystem } from '../../src/storage/file-system.js';
import { unprivileged } from '../storage/unprivileged.js';
import { listing, Place } from './place.js';

let place: Place;
beforeEach(async () => {
  place = await Place.make();
  await chmod(place.dir('.'), 0o755);
});
afterEach(() => place.close());

/** Folders that an open syncs before it makes or renames the first file; `refuse` may fail one. */
async function firstSyncs(
  dir: string,
  refuse: (folder: string) => string | undefined = () => undefined,
): Promise<string[]> {
  const config = storeConfig({ dir: fixedDirectory(dir) });
  const env = await systemEnv(config);
  const synced: string[] = [];
  let hasWritten = false;
  const fs: FileSystem = {
    ...env.fs,
    open: (path, mode, options) => {
      hasWritten ||= mode !== 'read';
      return env.fs.open(path, mode, options);
    },
    syncDirectory: async (path) => {
      const code = refuse(path);
      if (code !== undefined) {
        throw kontikiError('STORAGE_IO', `${code} ${path}`, { cause: { code } });
      }
      if (!hasWritten) synced.push(path);
      await env.fs.syncDirectory(path);
    },
  };
  const store = await openStoreOn({ ...env, fs } as Env, config);
  await store.close();
  return synced;
}

function ancestorsOf(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...ancestorsOf(above)];
}

describe('names above a data directory', () => {
  test('each open syncs its own; before there is a member file, all of them up to the root', async () => {
    const dir = fixedDirectory(place.dir('a/b/data'));
    expect((await firstSyncs(dir)).slice(0, ancestorsOf(dir).length)).toEqual(ancestorsOf(dir));
    expect((await firstSyncs(dir))[0]).toBe(dirname(dir));
    expect(await firstSyncs(dir)).not.toContain(dirname(dirname(dir)));
  });

  test('a sync that fails -> STORAGE_IO at each open, nothing is written', async () => {
    const dir = fixedDirectory(await place.emptyDir('data'));
    for (let n = 0; n < 2; n += 1) {
      const opening = firstSyncs(dir, (folder) => (folder === dirname(dir) ? 'EIO' : undefined));
      await expect(opening).rejects.toMatchObject({ code: 'STORAGE_IO' });
      const names = (await listing(dir)).filter((line) => !line.includes('/lock'));
      expect(names).toEqual([]);
    }
  });

  test.each(['EACCES', 'EPERM', 'EINVAL'])('%s of one -> passed over each time', async (code) => {
    const dir = fixedDirectory(place.dir('a/data'));
    const refuse = (folder: string) => (folder === dirname(dir) ? code : undefined);
    expect(await firstSyncs(dir, refuse)).toContain(dirname(dirname(dir)));
    await firstSyncs(dir, refuse);
  });

  test('a folder that may be written and not be read -> opens the first time, too', async () => {
    // What is loaded later may be readable for this user alone.
    await (await place.open({ dir: place.dir('warm') })).close();
    const above = await place.emptyDir('above');
    await chmod(above, 0o333);
    try {
      await unprivileged(async () => {
        for (let n = 0; n < 2; n += 1) {
          const store = await place.open({ dir: `${above}/x/data` });
          await store.put('n', `${n}`);
          await store.close();
        }
      });
    } finally {
      await chmod(above, 0o755);
    }
  });
});
