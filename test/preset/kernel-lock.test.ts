// Two processes that cannot ask each other whether they live, as in two containers on one volume: the
// lock of the kernel keeps the second out, for own state machines too.
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CommandMachine, openNode } from '../../src/index.js';
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
function openElsewhere(dir: string): string {
  const url = new URL('../../src/index.ts', import.meta.url).href;
  const script = `
    const { openNode } = await import(${JSON.stringify(url)});
    const stateMachine = {
      open: async () => ({ appliedIndex: 0 }),
      apply: async (entries) => entries.map(() => 0),
      durableIndex: 0,
      flush: async () => undefined,
      close: async () => undefined,
    };
    await openNode({ stateMachine, dir: ${JSON.stringify(dir)} }).then(
      (node) => node.close().then(() => console.log('opened')),
      ({ code }) => console.log(code),
    );
  `;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout.trim();
}

test('openNode: a lock file that names nobody who is known here -> DIR_LOCKED as long as it is open', async () => {
  const dir = place.dir('data');
  const node = await openNode({ stateMachine: machine, dir });
  await writeFile(`${dir}/lock`, JSON.stringify({ pid: 2 ** 22 + 1, startedAt: 'gone' }));
  expect(openElsewhere(dir)).toBe('DIR_LOCKED');
  await node.propose(new Uint8Array(1));
  await node.close();
  expect(openElsewhere(dir)).toBe('opened');
}, 30_000);
