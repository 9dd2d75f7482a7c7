// Goal: `kontiki snapshot save` leaves alone what it could ruin: a member of another user, and the member's own
// files.
import { chown, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listing, Place } from '../preset/place.js';
import { run } from './cli.js';

let place: Place;
let dir: string;
beforeEach(async () => {
  place = await Place.make();
  dir = place.dir('member');
  const store = await place.open({ dir });
  await store.put('k', '1');
  await store.close();
});
afterEach(() => place.close());

/** The user that owns nothing, by convention. */
const nobody = 65_534;
const isRoot = process.geteuid?.() === 0;

test.runIf(isRoot)(
  'save of the member of another user (skipped unless run as root) -> refused, nothing is changed',
  async () => {
    const names = await readdir(dir, { recursive: true });
    for (const path of [dir, ...names.map((name) => join(dir, name))]) {
      await chown(path, nobody, nobody);
    }
    const before = await listing(dir);
    const { code, errors } = await run('snapshot', 'save', place.dir('f'), '--dir', dir);
    const refusal = `ARGUMENT_INVALID: expected to run as user ${nobody}, whose ${dir} is, got user 0`;
    expect({ code, errors }).toEqual({ code: 2, errors: expect.stringContaining(refusal) });
    expect(await listing(dir)).toEqual(before);
  },
);

test('save to a file in the directory, by whatever path -> refused, nothing is changed', async () => {
  await mkdir(place.dir('beside'));
  await symlink(dir, place.dir('link'));
  await symlink(join(dir, 'wal'), place.dir('beside/log'));
  const before = await listing(dir);
  for (const file of [
    join(dir, '00000000000000000000.wal'),
    join(dir, 'wal', 'f'),
    `${place.dir('beside')}/../member/f`,
    place.dir('link/f'),
    place.dir('beside/log/f'),
  ]) {
    for (const at of [dir, place.dir('link')]) {
      const { code, errors } = await run('snapshot', 'save', file, '--dir', at);
      expect({ code, errors }).toEqual({ code: 2, errors: expect.stringContaining('outside of') });
    }
  }
  expect(await listing(dir)).toEqual(before);
  for (const file of ['f', 'member-f', 'beside/f']) {
    const saved = await run('snapshot', 'save', place.dir(file), '--dir', dir);
    expect(saved).toMatchObject({ code: 0, errors: '' });
  }
});
