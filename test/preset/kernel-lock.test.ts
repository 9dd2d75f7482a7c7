// Two processes that cannot ask each other whether they live, as in two containers on one volume: the
// lock of the kernel keeps the second out, for own state machines too.
import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { type CommandMachine, openNode, openStore } from '../../src/index.js';
import { kernelLock } from '../../src/preset/kernel-lock.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { nodeFileSystem } from '../../src/storage/node-fs/index.js';
import { Place } from './place.js';

const machine: CommandMachine<number> = {
  open: async () => ({ appliedIndex: 0 }),
  apply: async (entries) => entries.map(() => 0),
  durableIndex: 0,
  flush: async () => undefined,
  close: async () => undefined,
};

let place: Place;
beforeEach(async () => {
  place = await Place.make();
});
afterEach(() => place.close());

/** What another process is told that opens the same directory. */
function openElsewhere(dir: string, how: 'openNode' | 'openStore' = 'openNode'): string {
  const url = new URL('../../src/index.ts', import.meta.url).href;
  const script = `
    const { openNode, openStore } = await import(${JSON.stringify(url)});
    const stateMachine = {
      open: async () => ({ appliedIndex: 0 }),
      apply: async (entries) => entries.map(() => 0),
      durableIndex: 0,
      flush: async () => undefined,
      close: async () => undefined,
    };
    const options = ${how === 'openNode' ? '{ stateMachine }' : '{}'};
    await ${how}({ ...options, dir: ${JSON.stringify(dir)} }).then(
      (opened) => opened.close().then(() => console.log('opened')),
      ({ code }) => console.log(code),
    );
  `;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout.trim();
}

/** As the process of another container looks. */
const stranger = JSON.stringify({ pid: 2 ** 22 + 1, startedAt: 'gone' });

test('openNode: a lock file that names nobody who is known here -> DIR_LOCKED as long as it is open', async () => {
  const dir = place.dir('data');
  const node = await openNode({ stateMachine: machine, dir });
  await writeFile(`${dir}/lock`, stranger);
  expect(openElsewhere(dir)).toBe('DIR_LOCKED');
  await node.propose(new Uint8Array(1));
  await node.close();
  expect(openElsewhere(dir)).toBe('opened');
}, 30_000);

test('openStore: a close that could not remove the lock file -> the same process opens the directory again', async () => {
  const dir = place.dir('data');
  const store = await openStore({ dir });
  const lock = await readFile(`${dir}/lock`);
  await store.close();
  await writeFile(`${dir}/lock`, lock);
  await (await openStore({ dir })).close();
  expect(await readdir(dir)).not.toContain('lock');
});

test.each([
  ['let go of meanwhile', 3, 'taken'],
  ['kept', 100, 'DIR_LOCKED'],
])('held by one that closes, and %s after %i attempts -> %s', async (_what, busy, outcome) => {
  const dir = place.dir('data');
  await mkdir(dir);
  let attempts = 0;
  const openEngine = async (path: string) => {
    attempts += 1;
    if (attempts <= busy) throw kontikiError('DIR_LOCKED', 'another one has it open');
    return openClassicLevel(path);
  };
  const taken = kernelLock({ fs: nodeFileSystem, openEngine })(dir);
  if (outcome === 'taken') await (await taken).release();
  else await expect(taken).rejects.toMatchObject({ code: outcome });
  expect(attempts).toBeLessThan(10);
});

test('openStore: tables that another one is replacing -> DIR_LOCKED, not damage, and its lock file stays', async () => {
  const dir = place.dir('data');
  for (const round of [1, 2]) {
    const store = await openStore({ dir });
    await store.put(`key ${round}`, 'value');
    await store.close();
  }
  const store = await openStore({ dir });
  const table = (await readdir(`${dir}/state`)).find((name) => name.endsWith('.ldb'))!;
  await writeFile(`${dir}/lock`, stranger);
  // As if a compaction had just removed it.
  await rename(`${dir}/state/${table}`, `${dir}/aside`);
  expect(openElsewhere(dir, 'openStore')).toBe('DIR_LOCKED');
  expect(await readFile(`${dir}/lock`, 'utf8')).toBe(stranger);
  await rename(`${dir}/aside`, `${dir}/state/${table}`);
  await store.close();
  expect(openElsewhere(dir, 'openStore')).toBe('opened');
}, 30_000);

test.each([
  ['CURRENT', 'gone'],
  ['CURRENT', 'damaged'],
  ['MANIFEST', 'gone'],
  ['MANIFEST', 'damaged'],
])("openStore: the %s of the lock's own engine %s -> made again", async (part, how) => {
  const dir = place.dir('data');
  const killed = place.dir('killed');
  const store = await openStore({ dir });
  await cp(`${dir}/lock.d`, `${killed}/lock.d`, { recursive: true });
  await store.close();
  const name = (await readdir(`${killed}/lock.d`)).find((each) => each.startsWith(part))!;
  if (how === 'gone') await rm(`${killed}/lock.d/${name}`);
  else await writeFile(`${killed}/lock.d/${name}`, 'damaged');
  await (await openStore({ dir: killed })).close();
  // Nothing of it stays behind a close.
  expect(await readdir(killed)).toEqual(await readdir(dir));
});
