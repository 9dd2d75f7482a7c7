// A whole data directory as a library sees it: its parts, and what cannot be read of them.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import { openStore } from '../../../src/index.js';
import type { FileSystem } from '../../../src/storage/index.js';
import { checkDirectory } from '../../../src/storage/index.js';
import { nodeFileSystem as fs } from '../../../src/storage/node-fs/index.js';
import { openWal } from '../../../src/storage/wal/index.js';

let dir: string;
/** The new leader's own entry, its session, and the put. */
const filledTo = 3;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kontiki-directory-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function fill(): Promise<void> {
  const store = await openStore({ dir });
  await store.put('a', '1');
  await store.close();
}

/** The platform's, but files of some names cannot be read. */
function unreadable(pattern: RegExp): FileSystem {
  const refuse = (path: string) => {
    if (pattern.test(path)) throw kontikiError('STORAGE_IO', `read ${path}: EIO`);
  };
  return {
    ...fs,
    readFile: async (path) => {
      refuse(path);
      return fs.readFile(path);
    },
    open: async (path, mode) => {
      refuse(path);
      return fs.open(path, mode);
    },
  };
}

test('nothing of a member, or no folder -> undefined', async () => {
  await mkdir(join(dir, 'snapshots'));
  expect(await checkDirectory({ fs, dir })).toBeUndefined();
  expect(await checkDirectory({ fs, dir: join(dir, 'nowhere') })).toBeUndefined();
});

test('a member -> its parts, no problems', async () => {
  await fill();
  const found = await checkDirectory({ fs, dir });
  expect(found).toMatchObject({
    ...{ problems: [], snapshots: [], stateFolder: 'state' },
    member: { name: 'main' },
    state: { appliedIndex: filledTo, lastFlush: { to: filledTo } },
  });
  expect(found?.wal?.history.terms.last).toBe(filledTo);
});

test('a first start that was cut short -> no member, no problems', async () => {
  await (await openWal({ fs, dir: `${dir}/wal`, voters: [1] })).close();
  const found = await checkDirectory({ fs, dir });
  expect(found).toMatchObject({ problems: [], state: { appliedIndex: 0 } });
  expect(found?.member).toBeUndefined();
});

test.each([
  ['the log', /\.wal$/, { wal: undefined, state: { appliedIndex: filledTo } }],
  ["LevelDB's log", /\.log$/, { wal: {}, state: undefined }],
  [
    'the member file',
    /member\.json$/,
    { member: undefined, wal: {}, state: { appliedIndex: filledTo } },
  ],
])(
  '%s cannot be read -> STORAGE_IO among the problems, the other parts',
  async (_, files, parts) => {
    await fill();
    const found = await checkDirectory({ fs: unreadable(files), dir });
    expect(found?.problems.map(({ code }) => code)).toEqual(['STORAGE_IO']);
    expect(found).toMatchObject(parts);
  },
);

test('all but the member file and the state gone -> the log is lost', async () => {
  await fill();
  await rm(join(dir, 'wal'), { recursive: true });
  const found = await checkDirectory({ fs, dir });
  expect(found?.problems.map(({ code, message }) => `${code} ${message}`)).toEqual([
    expect.stringMatching(/^WAL_CORRUPT expected the log of main in /),
    expect.stringMatching(
      `^WAL_CORRUPT the state has applied entry ${filledTo}, but the log ends at 0:`,
    ),
  ]);
});
