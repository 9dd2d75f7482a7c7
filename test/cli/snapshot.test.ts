// `kontiki snapshot` on files: a backup of a stopped member, what is in it, a new cluster of it; and exit
// statuses that tell damage from wrong usage.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Place } from '../preset/place.js';
import { run } from './cli.js';

let place: Place;
let file: string;

beforeEach(async () => {
  place = await Place.make();
  file = place.dir('store.backup');
});

afterEach(() => place.close());

/** The directory of a stopped member with two keys, at revision 4. */
async function stopped(): Promise<string> {
  const dir = place.dir('member');
  const store = await place.open({ dir });
  for (const key of ['a', 'b', 'a']) await store.put(key, key);
  await store.close();
  return dir;
}

describe('snapshot', () => {
  test('save, status, restore -> the store again, in a new cluster', async () => {
    const dir = await stopped();
    const saved = await run('snapshot', 'save', file, '--dir', dir);
    expect(saved).toMatchObject({ code: 0, errors: '' });
    const status = await run('snapshot', 'status', file);
    expect(status.out).toBe(saved.out);
    for (const line of [
      /^hash {9}[0-9a-f]{64}$/m,
      /^revision {5}4, readable from 1$/m,
      /^keys {9}2$/m,
      /^leases {7}0$/m,
      /^size {9}\d+ bytes$/m,
      /^taken of {5}cluster \d+, entry \d+ of term \d+$/m,
      /^format {7}1$/m,
    ]) {
      expect(status.out).toMatch(line);
    }
    expect((await readdir(place.dir('.'))).sort()).toEqual(['member', 'store.backup']);
    const to = place.dir('restored');
    const restored = await run('snapshot', 'restore', file, '--dir', to, '--bump-revision', '100');
    expect(restored).toMatchObject({ code: 0, errors: '' });
    expect(restored.out).toMatch(/^cluster {6}\d+, which is new$/m);
    expect(restored.out).toMatch(/^revision {5}104$/m);
    const store = await place.open({ dir: to });
    expect(await store.put('c', '1')).toMatchObject({ revision: 105 });
    await store.close();
    expect((await run('check', to)).code).toBe(0);
    // The member that it was taken of goes on.
    const before = await place.open({ dir });
    expect(await before.put('c', '1')).toMatchObject({ revision: 5 });
  });

  test('save of one of several -> says what it cannot know; restore of each of them', async () => {
    const cluster = await place.cluster('a', 'b', 'c');
    const stores = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        place.open({ name, cluster, token: 't', dir: place.dir(name) }),
      ),
    );
    await stores[0]?.put('k', '1');
    await Promise.all(stores.map((store) => store.close()));
    const saved = await run('snapshot', 'save', file, '--dir', place.dir('a'), '--token', 't');
    expect(saved).toMatchObject({ code: 0, errors: '' });
    expect(saved.out).toMatch(/^note {9}.*others may have acknowledged more$/m);
    expect(saved.out).toMatch(/^revision {5}2,/m);
    const other = await run('snapshot', 'save', `${file}2`, '--dir', place.dir('a'));
    expect(other).toMatchObject({ code: 2, errors: expect.stringMatching('CLUSTER_MISMATCH') });
    const ports = await place.cluster('x', 'y');
    const members = Object.entries(ports).map(([name, address]) => `${name}=${address}`);
    for (const name of ['x', 'y']) {
      const at = ['--dir', place.dir(name), '--name', name, '--cluster', members.join(',')];
      expect((await run('snapshot', 'restore', file, ...at, '--token', 'u')).code).toBe(0);
    }
    const [x] = await Promise.all(
      ['x', 'y'].map((name) =>
        place.open({ name, cluster: ports, token: 'u', dir: place.dir(name) }),
      ),
    );
    expect((await x?.get('k'))?.text()).toBe('1');
  }, 30_000);

  test('a running member, an existing file, a full directory -> status 2, nothing is changed', async () => {
    const dir = await stopped();
    const store = await place.open({ dir });
    expect((await run('snapshot', 'save', file, '--dir', dir)).errors).toContain('DIR_LOCKED');
    expect(existsSync(file)).toBe(false);
    await store.close();
    await writeFile(file, 'mine');
    expect((await run('snapshot', 'save', file, '--dir', dir)).code).toBe(2);
    expect(await readFile(file, 'utf8')).toBe('mine');
    const good = place.dir('good');
    await run('snapshot', 'save', good, '--dir', dir);
    const refused = await run('snapshot', 'restore', good, '--dir', dir);
    expect(refused).toMatchObject({ code: 2, errors: expect.stringContaining('DIR_NOT_EMPTY') });
    const nobody = await run('snapshot', 'save', file + 1, '--dir', await place.emptyDir('empty'));
    expect(nobody).toMatchObject({ code: 2, errors: expect.stringContaining('ARGUMENT_INVALID') });
  });

  test('what is beside the file under its temporary name -> status 2, and it stays', async () => {
    const dir = await stopped();
    await mkdir(`${file}.tmp`);
    await writeFile(`${file}.tmp/mine`, 'precious');
    const { code, errors } = await run('snapshot', 'save', file, '--dir', dir);
    expect({ code, errors }).toEqual({ code: 2, errors: expect.stringContaining(`${file}.tmp`) });
    expect(await readFile(`${file}.tmp/mine`, 'utf8')).toBe('precious');
    expect(existsSync(file)).toBe(false);
  });

  test('a member twice, spaces between members -> refused, and taken for nothing', async () => {
    await run('snapshot', 'save', file, '--dir', await stopped());
    const restore = (name: string, cluster: string) =>
      run(
        'snapshot',
        'restore',
        file,
        '--dir',
        place.dir(name),
        '--name',
        name,
        '--cluster',
        cluster,
      );
    const twice = await restore('b', 'a=h:1,b=h:2,b=h:3');
    expect(twice).toMatchObject({ code: 2, errors: expect.stringContaining('each name once') });
    expect(existsSync(place.dir('b'))).toBe(false);
    expect(await restore('c', 'a=h:1, c = h:3')).toMatchObject({ code: 0, errors: '' });
  });

  test('a damaged backup -> status 1, and no directory', async () => {
    await run('snapshot', 'save', file, '--dir', await stopped());
    const bytes = await readFile(file);
    bytes[60] = bytes.readUInt8(60) ^ 1;
    await writeFile(file, bytes);
    const to = place.dir('restored');
    for (const words of [['status'], ['restore', '--dir', to]] as const) {
      const [action, ...options] = words;
      const { code, out } = await run('snapshot', action, file, ...options);
      expect({ code, out }).toEqual({
        code: 1,
        out: expect.stringMatching(/^damage {7}SNAPSHOT_C/),
      });
    }
    expect(existsSync(to)).toBe(false);
    expect((await run('snapshot', 'status', place.dir('none'))).code).toBe(2);
  });

  test.each([
    [['snapshot']],
    [['snapshot', 'delete', 'f']],
    [['snapshot', 'toString', 'f']],
    [['snapshot', 'status']],
    [['snapshot', 'status', 'a', 'b']],
    [['snapshot', 'status', 'a', '--dir', 'd']],
    [['snapshot', 'save', 'a']],
    [['snapshot', 'restore', 'a']],
    [['snapshot', 'restore', 'a', '--dir', 'd', '--unknown', 'x']],
    [['snapshot', 'restore', 'a', '--dir', 'd', '--bump-revision', 'many']],
    [['snapshot', 'restore', 'a', '--dir', 'd', '--cluster', 'a']],
  ])('%j -> status 2, and what is expected', async (words) => {
    const { code, errors, out } = await run(...words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(errors).toMatch(/^kontiki: /);
  });
});

test('snapshot: asked for help, or given no number -> told what it takes', async () => {
  for (const word of ['--help', '-h']) {
    const asked = await run('snapshot', word);
    expect(asked).toMatchObject({ code: 0, errors: '' });
    expect(asked.out).toContain('snapshot restore FILE');
  }
  const dir = place.dir('restored');
  const odd = await run('snapshot', 'restore', file, '--dir', dir, '--bump-revision', 'abc');
  expect(odd.code).toBe(2);
  expect(odd.errors).toContain("--bump-revision to be a number, got 'abc'");
});
