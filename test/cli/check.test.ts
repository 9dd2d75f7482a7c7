// `kontiki check` on a directory with all that one can have: an installed state with its pointer, a
// table and a log of LevelDB, several segments, a snapshot, deletes, a lease, compacted history. Each
// kind of damage is told with its place, and no byte is changed.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { openStore } from '../../src/index.js';
import { nodeFileSystem } from '../../src/storage/node-fs/index.js';
import { openWal } from '../../src/storage/wal/index.js';
import { KillableEnv } from '../cluster/killable-env.js';
import { fillDirectory } from '../preset/whole-directory.js';
import { run } from './cli.js';

const folder = mkdtempSync(join(tmpdir(), 'kontiki-check-'));
const intact = join(folder, 'intact');
const dir = join(folder, 'copy');
// The leader's own entry, its session, 8 puts, a lease, held, a compaction.
const snapshotAt = 1 + 1 + 8 + 1 + 1 + 1;
// The next leader's own entry, its session, a delete, a transaction, 3 puts.
const lastEntry = snapshotAt + 1 + 1 + 1 + 1 + 3;
const stateFolder = `state-${snapshotAt.toString(16).padStart(16, '0')}`;
const lineOf = (pattern: string) => new RegExp(`^${pattern}$`, 'm');

beforeAll(() => fillDirectory(intact));
afterEach(() => rmSync(dir, { recursive: true, force: true }));
afterAll(() => rmSync(folder, { recursive: true }));

function find(pattern: RegExp): string {
  const found = readdirSync(dir, { recursive: true })
    .map(String)
    .filter((name) => pattern.test(name));
  expect(found.length, String(pattern)).toBeGreaterThan(0);
  return join(dir, found.sort()[0] as string);
}

function change(pattern: RegExp, edit: (bytes: Buffer) => Uint8Array): string {
  const path = find(pattern);
  writeFileSync(path, edit(readFileSync(path)));
  return path;
}

function flip(pattern: RegExp, at: number): string {
  return change(pattern, (bytes) => {
    bytes[at < 0 ? bytes.length + at : at]! ^= 1;
    return bytes;
  });
}

function contents(): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true });
  const paths = files.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path).toString('base64')]));
}

/** Checks a copy that was damaged, and that it is as it was afterwards. */
async function checkCopy(damage: () => unknown) {
  cpSync(intact, dir, { recursive: true });
  damage();
  const before = contents();
  const result = await run('check', dir);
  expect(contents()).toEqual(before);
  return result;
}

describe('an intact directory', () => {
  test('-> status 0, every part with its format and what is in it', async () => {
    const { code, out, errors } = await checkCopy(() => undefined);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    for (const line of [
      /^log +format 1, 4 segments, \d+ intact records$/m,
      lineOf(`entries +${snapshotAt + 1} to ${lastEntry}`),
      lineOf(
        `state +${stateFolder}/, 1 table \\(\\d+ bytes\\), 1 log \\(\\d+ bytes\\), \\d+ records`,
      ),
      lineOf(`applied +entry ${lastEntry}, with flush \\d+, format 2`),
      /^state hash +[0-9a-f]{32}$/m,
      /^keyspace +format 1, semantics level 1$/m,
      // k0, k2, k3 and held; 8 puts, held, a delete, a transaction and 3 puts.
      /^revision +15, readable from 5$/m,
      /^keys +4, with \d+ changes and \d+ ended versions in history$/m,
      /^leases +1, with 1 key$/m,
      // One of each life.
      /^sessions +2$/m,
      lineOf(`snapshot +format 1, entry ${snapshotAt} of term 1, \\d+ bytes`),
      /^ok$/m,
    ]) {
      expect(out).toMatch(line);
    }
  });

  test('a state folder that an interrupted install left -> still ok', async () => {
    const { code } = await checkCopy(() =>
      cpSync(join(dir, 'wal'), join(dir, 'state-00000000000000ff'), { recursive: true }),
    );
    expect(code).toBe(0);
  });
});

describe('a stopped member', () => {
  test('killed -> ok, the log has all', async () => {
    const config = storeConfig({ dir });
    const killable = await KillableEnv.create(config);
    const store = await openStoreOn(killable.env, config);
    const puts = 20;
    for (let n = 0; n < puts; n += 1) await store.put(`k${n}`, 'x'.repeat(100));
    await killable.kill();
    const { code, out } = await run('check', dir);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^ok$/m) });
    // The leader's own entry, its session, and the puts.
    expect(out).toMatch(lineOf(`entries +1 to ${1 + 1 + puts}`));
  });
});

test('a first start that was cut short -> ok, and to start again', async () => {
  await (await openWal({ fs: nodeFileSystem, dir: `${dir}/wal`, voters: [1] })).close();
  const { code, out } = await run('check', dir);
  expect(out).toMatch(/^note +the first start of this member was interrupted; start it again$/m);
  expect(code).toBe(0);
});

describe('damage', () => {
  test.each([
    [
      'a block of a table',
      /\.ldb$/,
      20,
      /STATE_CORRUPT: file \S+\.ldb of the state is damaged at byte 0: /,
    ],
    [
      'the end of a table',
      /\.ldb$/,
      -1,
      /STATE_CORRUPT: file \S+\.ldb of the state is damaged at byte \d+: /,
    ],
    [
      "LevelDB's log",
      /\.log$/,
      30,
      /STATE_CORRUPT: file \S+\.log of the state is damaged at byte 0: a checksum/,
    ],
    [
      "the last flush in LevelDB's log",
      /\.log$/,
      -3,
      /STATE_CORRUPT: file \S+\.log of the state is damaged at byte \d+: a checksum/,
    ],
    [
      "LevelDB's manifest",
      /MANIFEST/,
      20,
      /STATE_CORRUPT: file \S+MANIFEST-\d+ of the state is damaged at byte 0: /,
    ],
    [
      'CURRENT',
      /CURRENT$/,
      0,
      /STATE_CORRUPT: file \S+CURRENT of the state is damaged at byte 0: /,
    ],
    [
      'the pointer to the state',
      /state\.current$/,
      20,
      /STATE_CORRUPT: \S+state\.current is damaged/,
    ],
    [
      'a chunk of a snapshot',
      /\.snapshot$/,
      300,
      /SNAPSHOT_CORRUPT: snapshot \S+\.snapshot is damaged at byte \d+: the checksum of a chunk/,
    ],
    [
      'the end of a snapshot',
      /\.snapshot$/,
      -10,
      /SNAPSHOT_CORRUPT: snapshot \S+\.snapshot is damaged at byte \d+: /,
    ],
    ['the log', /wal\/0*2\.wal$/, 700, /WAL_CORRUPT: /],
    ['the member file', /member\.json$/, 30, /STATE_CORRUPT: \S+member\.json is damaged/],
  ])('a bit of %s -> status 1, file and offset', async (_, pattern, at, message) => {
    let file = '';
    const { code, out } = await checkCopy(() => {
      file = flip(pattern, at);
    });
    expect(code).toBe(1);
    expect(out).toMatch(message);
    expect(out).toContain(file);
    expect(out).not.toMatch(/^ok$/m);
  });

  test('one part damaged -> the others are told all the same', async () => {
    const { code, out } = await checkCopy(() => {
      flip(/wal\/0*1\.wal$/, 700);
      flip(/\.snapshot$/, 300);
    });
    expect(code).toBe(1);
    expect(out).toMatch(/^damage +WAL_CORRUPT/m);
    expect(out).toMatch(/^damage +SNAPSHOT_CORRUPT/m);
    expect(out).toMatch(/^first at +\S+\.snapshot byte \d+$/m);
    expect(out).toMatch(/^state hash +[0-9a-f]{32}$/m);
  });

  test.each([
    ['the first segments', () => rmSync(find(/wal\/0*1\.wal$/)), /WAL_CORRUPT: .*missing/],
    [
      'the last segment',
      () => rmSync(find(/wal\/0*4\.wal$/)),
      new RegExp(`WAL_CORRUPT: .*has applied entry ${lastEntry}, but the log ends at 1\\d:`),
    ],
    ['a table', () => rmSync(find(/\.ldb$/)), /STATE_CORRUPT: .*\.ldb .*byte 0: it is missing/],
    ['CURRENT', () => rmSync(find(/CURRENT$/)), /STATE_CORRUPT: .*CURRENT .*byte 0: it is missing/],
    [
      'the pointer',
      () => rmSync(find(/state\.current$/)),
      /STATE_CORRUPT: expected state\.current/,
    ],
    [
      'the state',
      () => rmSync(find(lineOf(stateFolder)), { recursive: true }),
      new RegExp(`STATE_CORRUPT: expected ${stateFolder}/`),
    ],
    ['the log of LevelDB', () => rmSync(find(/\.log$/)), undefined],
  ])(
    '%s gone -> status 1 and what is missing, unless the log has it',
    async (_, damage, message) => {
      const { code, out } = await checkCopy(damage);
      if (message === undefined) expect({ code, out }).toMatchObject({ code: 0 });
      else expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(message) });
    },
  );
});

describe('a running member', () => {
  test('-> status 2, says who; once it is closed it is checked', async () => {
    const own = mkdtempSync(join(folder, 'running-'));
    const store = await openStore({ dir: own });
    await store.put('a', '1');
    const { code, errors, out } = await run('check', own);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(errors).toContain(`DIR_LOCKED: process ${process.pid} has ${own} open`);
    await store.close();
    expect(await run('check', own)).toMatchObject({ code: 0 });
  });

  test('a lock that a killed process left -> checked', async () => {
    const { code } = await checkCopy(() => writeFileSync(join(dir, 'lock'), '{"pid":4194999}\n'));
    expect(code).toBe(0);
  });
});
