// The machine dies before or after each effect of a restore: what is left is refused, or is whole, or is
// as good as nothing; and a full disk leaves nothing behind.
import { describe, expect, test } from 'vitest';
import { configIn } from '../../src/assembly/data-directory.js';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { restoreStoreOn } from '../../src/assembly/restore-store-on.js';
import { storeConfig } from '../../src/assembly/store-config.js';
import { isKontikiError } from '../../src/base/errors.js';
import type { Env } from '../../src/node/env.js';
import type { Store } from '../../src/store/store.js';
import type { CrashKind, SimMachine } from '../../src/testing/sim-machine.js';
import { Simulator } from '../../src/testing/simulator.js';
import { bytesOf, fill } from './backed-up.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const from = 'data/store.backup';
const tuning = { segmentBytes: 16_384 };
const config = { ...storeConfig({ dir: 'data/restored' }), tuning };

/** A backup as every machine of these tests finds it, and its revision. */
async function made(): Promise<{ bytes: Uint8Array; revision: number }> {
  const sim = new Simulator({ seed: 1 });
  const env = sim.machine('lost').boot();
  const lost = { ...storeConfig({ dir: 'data/lost' }), tuning };
  const store = await sim.complete(openStoreOn(env, lost), 10_000);
  const revision = await sim.complete(fill(store), 60_000);
  return { bytes: await sim.complete(bytesOf(store.backup()), 60_000), revision };
}

const backup = made();

class Rig {
  readonly sim: Simulator;
  readonly machine: SimMachine;

  constructor(seed: number) {
    this.sim = new Simulator({ seed });
    this.machine = this.sim.machine('n1');
  }

  /** Restores in a first life, which may end in it. @returns whether it got to the end */
  async restore(effects: number, when: 'before' | 'after', how: CrashKind): Promise<boolean> {
    const env = await this.withBackup();
    let isDone = false;
    this.machine.crashAt(effects, { when, crash: () => this.machine.crash(how) });
    void restoreStoreOn(env, config, { from }).then(
      () => {
        isDone = true;
      },
      () => undefined,
    );
    await this.sim.runUntil(() => isDone || !this.machine.running, 60_000);
    if (this.machine.running) this.machine.crash('power');
    return isDone;
  }

  /** Begins a life with the backup on the disk. */
  async withBackup(): Promise<Env> {
    const env = this.machine.boot();
    const file = await this.sim.complete(env.fs.open(from, 'create'), 10_000);
    await this.sim.complete(file.write(0, [(await backup).bytes]), 10_000);
    await this.sim.complete(file.sync(), 10_000);
    await this.sim.complete(env.fs.syncDirectory('data'), 10_000);
    await this.sim.complete(file.close(), 10_000);
    return env;
  }

  /** What the next life finds: a code, or the revision of the store that opens. */
  async open(): Promise<string> {
    const env = this.machine.boot();
    try {
      const own = await this.sim.complete(configIn(env.fs, config), 10_000);
      const store: Store = await this.sim.complete(openStoreOn(env, own), 10_000);
      const { revision } = await this.sim.complete(store.range({ prefix: '' }), 20_000);
      await this.sim.complete(store.close(), 10_000);
      return `revision ${revision}`;
    } catch (error) {
      if (!isKontikiError(error)) throw error;
      return error.code;
    }
  }
}

describe('a restore that is cut short', () => {
  const lives = Array.from({ length: Math.max(1, Math.round(depth)) }, (_, nth) => nth);
  test.each(lives)(
    'life %i: at each effect -> whole, refused, or nothing',
    async (life) => {
      const { revision } = await backup;
      const outcomes = new Map<string, number>();
      let isDone = false;
      for (let effects = 1; !isDone; effects += 1) {
        const rig = new Rig(1_000 * life + effects);
        const when = (effects + life) % 2 === 0 ? 'before' : 'after';
        isDone = await rig.restore(effects, when, life % 3 === 2 ? 'process' : 'power');
        const left = rig.machine.disk.names.children('data/restored').join();
        const found = await rig.open();
        if (isDone) expect(found).toBe(`revision ${revision}`);
        // Beside anything of the backup an empty store would be a lie.
        else if (found === 'revision 1') expect(left, `effect ${effects}`).not.toMatch(/state/);
        else expect(['STATE_CORRUPT', `revision ${revision}`]).toContain(found);
        outcomes.set(found, (outcomes.get(found) ?? 0) + 1);
        expect(effects).toBeLessThan(500);
      }
      expect(outcomes.get('STATE_CORRUPT')).toBeGreaterThan(10);
      expect(outcomes.get(`revision ${revision}`)).toBeGreaterThan(0);
    },
    60_000,
  );

  test('the disk is full -> NO_SPACE, nothing is left, and with space it works', async () => {
    const { revision } = await backup;
    const rig = new Rig(9);
    const env = await rig.withBackup();
    rig.machine.disk.byteBudget = rig.machine.disk.usedBytes + 6_000;
    const full = restoreStoreOn(env, config, { from });
    await expect(rig.sim.complete(full, 60_000)).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(await rig.sim.complete(env.fs.list('data/restored'), 1_000)).toEqual([]);
    rig.machine.disk.byteBudget = Infinity;
    await rig.sim.complete(restoreStoreOn(env, config, { from }), 60_000);
    rig.machine.crash('process');
    expect(await rig.open()).toBe(`revision ${revision}`);
  });
});
