// Goal: a leader whose job failed once, for whatever passes by itself, gives up what it holds: it must not
// stand in line behind its own key for ever.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Job } from '../../examples/leader-election/messages.js';
import { Place } from '../preset/place.js';

const program = fileURLToPath(new URL('../../examples/leader-election/member.ts', import.meta.url));

let place: Place;
let child: ChildProcess | undefined;

beforeEach(async () => {
  place = await Place.make();
});

afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await place.close();
});

test('one job fails -> the jobs go on once it can be done', { timeout: 60_000 }, async () => {
  const cluster = await place.cluster('a', 'b');
  const execArgv = ['--import', import.meta.resolve('tsx')];
  const options = { name: 'a', dir: place.dir('a'), cluster };
  child = fork(program, [JSON.stringify(options)], { execArgv });
  const store = await place.open({ name: 'b', dir: place.dir('b'), cluster });
  const number = async () => (await store.get('job'))?.json<Job>().number ?? 0;
  await expect.poll(number, { timeout: 20_000 }).toBeGreaterThan(3);
  await store.put('job', 'no job');
  await new Promise((resolve) => setTimeout(resolve, 300));
  await store.delete('job');
  await expect.poll(number, { timeout: 15_000 }).toBeGreaterThan(3);
});
