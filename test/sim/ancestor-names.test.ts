// The names that lead to a data directory: a power loss that takes one of them takes all there is in it.
// Whichever open made them, and wherever it was killed, they are durable once a later one has opened.
import { expect, test } from 'vitest';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { Simulator } from '../../src/testing/simulator.js';

/** Kills a first open after so many events. @returns whether it had opened by then */
async function openKilledAfter(events: number): Promise<boolean> {
  const sim = new Simulator({ seed: 1, traceLines: 0 });
  const machine = sim.machine('n1');
  const { disk } = machine;
  const above = [machine.dir, `${machine.dir}/a`, `${machine.dir}/a/b`];
  const config = storeConfig({ dir: `${machine.dir}/a/b/store`, electionTicks: 3 });
  const undurable = () => above.filter((folder) => disk.names.capture(folder).size > 0);
  let hasOpened = false;
  openStoreOn(machine.boot(), config).then(
    () => {
      hasOpened = true;
    },
    () => undefined,
  );
  let left = events;
  await sim.scheduler.runTo(sim.scheduler.nowUs + 1_000_000, () => {
    left -= 1;
    return left < 0 || hasOpened;
  });
  machine.crash('process');
  const store = await sim.complete(openStoreOn(machine.boot(), config), 60_000);
  expect(undurable(), `killed after ${events} events`).toEqual([]);
  await sim.complete(store.put('a', '1'), 60_000);
  machine.crash('power');
  const again = await sim.complete(openStoreOn(machine.boot(), config), 60_000);
  expect((await sim.complete(again.get('a'), 60_000))?.text()).toBe('1');
  await sim.complete(again.close(), 60_000);
  return hasOpened;
}

test('a first open killed at any event -> the next one makes all names durable', async () => {
  let events = 0;
  while (!(await openKilledAfter(events))) events += 1;
  expect(events).toBeGreaterThan(20);
}, 60_000);
