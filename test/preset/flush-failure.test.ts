// The disk below the keyspace fails while nobody writes: the member must not go on as if it did not.
import { describe, expect, test } from 'vitest';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { kontikiError } from '../../src/base/errors.js';
import type { EngineBatch } from '../../src/storage/kv-engine.js';
import { MemoryEngine } from '../../src/storage/memory/kv-engine.js';
import { Simulator } from '../../src/testing/simulator.js';

class FailingEngine extends MemoryEngine {
  isBroken = false;

  override async write(batch: EngineBatch, options: { readonly sync: boolean }): Promise<void> {
    if (this.isBroken) throw kontikiError('STORAGE_IO', 'worn');
    await super.write(batch, options);
  }
}

describe('a flush that fails', () => {
  test('on an idle member -> it stops, says why, and keeps what was acknowledged', async () => {
    const sim = new Simulator({ seed: 1 });
    const machine = sim.machine('n1');
    const engine = new FailingEngine();
    const config = storeConfig({ name: 'n1', dir: `${machine.dir}/n1` });
    const open = (using: MemoryEngine) =>
      sim.complete(
        openStoreOn({ ...machine.boot(), openEngine: async () => using }, config),
        5_000,
      );
    const store = await open(engine);
    const failed: string[] = [];
    store.on('failed', ({ error }) => failed.push(error.code));
    engine.isBroken = true;
    await sim.complete(store.put('a', '1'), 5_000);
    expect(failed).toEqual([]);
    await sim.run(2_000);
    expect(failed).toEqual(['STORAGE_IO']);
    await expect(sim.complete(store.put('b', '1'), 5_000)).rejects.toMatchObject({
      code: 'STORAGE_IO',
      outcome: 'rejected',
    });
    await sim.complete(store.close(), 5_000);
    machine.crash('process');
    const again = await open(new MemoryEngine());
    expect((await sim.complete(again.get('a'), 5_000))?.text()).toBe('1');
  });

  test('for want of space -> it waits, reads go on, a close waits for nothing', async () => {
    const sim = new Simulator({ seed: 2 });
    const machine = sim.machine('n1');
    const config = storeConfig({ name: 'n1', dir: `${machine.dir}/n1` });
    const store = await sim.complete(openStoreOn(machine.boot(), config), 5_000);
    const events: boolean[] = [];
    store.on('space', ({ hasSpace }) => events.push(hasSpace));
    await sim.complete(store.put('a', '1'), 5_000);
    machine.engineDisk.isFull = () => true;
    await sim.complete(store.put('b', '1'), 5_000);
    await sim.run(5_000);
    expect([events, store.status().hasSpace]).toEqual([[false], false]);
    expect((await sim.complete(store.get('b'), 5_000))?.text()).toBe('1');
    machine.engineDisk.isFull = () => false;
    await sim.run(5_000);
    expect([events, store.status().hasSpace]).toEqual([[false, true], true]);
    expect(store.status().durableIndex).toBe(store.status().appliedIndex);
    machine.engineDisk.isFull = () => true;
    await sim.complete(store.put('c', '1'), 5_000);
    await sim.run(2_000);
    await sim.complete(store.close(), 5_000);
    machine.engineDisk.isFull = () => false;
    machine.crash('power');
    const again = await sim.complete(openStoreOn(machine.boot(), config), 5_000);
    expect((await sim.complete(again.get('c'), 5_000))?.text()).toBe('1');
  });
});
