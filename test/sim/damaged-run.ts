// One seed of a whole store on a disk that damages what lies on it, or lies itself: the store opens with
// what it must hold, or refuses, and who refuses has changed nothing.
import { isDeepStrictEqual } from 'node:util';
import { SimRandom } from '../../src/testing/sim-random.js';
import { textOfVersion } from './store-content.js';
import {
  type Damage,
  damageEngine,
  flipOneBit,
  imageOf,
  loseName,
  misdirectSector,
  refusalOf,
  type refusals,
} from './store-damage.js';
import { StoreRun } from './store-run.js';

/** How the tests may see it end. */
export type Ending = 'right' | 'earlier' | (typeof refusals)[number];

export class DamagedRun {
  readonly run: StoreRun;
  readonly #random: SimRandom;
  what = '';

  constructor(seed: number) {
    this.run = new StoreRun(seed);
    this.#random = new SimRandom({ seed, stream: 'damage', entity: [] });
  }

  /** Damage to its files; undone when it was refused, to live on. */
  async ofFiles(): Promise<Ending> {
    const { one } = this.run;
    const { disk } = one.machine;
    await this.#past();
    const kind = one.pick([flipOneBit, flipOneBit, misdirectSector, loseName]);
    const damage = kind(disk, one.dir, this.#random);
    this.what = damage.what;
    const before = imageOf(disk);
    const ending = await this.#ending();
    if (ending !== 'right') {
      one.crash('process');
      this.#checkUnchanged(before, damage);
      damage.undo();
      await one.open();
    }
    await this.run.lives(1);
    this.run.crash('power');
    await one.finish();
    return ending;
  }

  /** Damage to what is in the engine, which has no copy that it could be taken back from. */
  async ofEngine(): Promise<Ending> {
    const { one } = this.run;
    await this.#past();
    this.what = damageEngine(one.machine.engineDisk, one.statePath, this.#random).what;
    return this.#ending();
  }

  /**
   * A disk that says it has synced: what it loses of what was acknowledged is lost, outside of any
   * log's budget. Nothing else comes in its place.
   */
  async ofLies(): Promise<Ending> {
    const { one } = this.run;
    const { disk, engineDisk } = one.machine;
    await one.open();
    await this.run.lives(one.int(3));
    if (one.int(3) > 0) disk.lyingSyncs = true;
    if (!disk.lyingSyncs || one.int(2) === 0) engineDisk.lie(one.statePath);
    await this.run.live();
    this.run.crash('power');
    disk.lyingSyncs = false;
    one.found = undefined;
    try {
      return await this.#ending();
    } catch (error) {
      if (!this.#isEarlier()) throw error;
      return 'earlier';
    }
  }

  /** Some lives, the last of which ended just now, maybe in the middle of an install. */
  async #past(): Promise<void> {
    const { one } = this.run;
    await one.open();
    await this.run.lives(one.int(3));
    await this.run.live();
    if (one.int(3) === 0) await this.run.install();
    this.run.crash('power');
  }

  async #ending(): Promise<Ending> {
    const { one } = this.run;
    try {
      await one.open();
      // What is damaged may come to light only when it is read.
      await one.checkHash();
      return one.store?.status().failure === undefined ? 'right' : 'STATE_CORRUPT';
    } catch (error) {
      return refusalOf(error);
    }
  }

  #checkUnchanged(before: ReadonlyMap<string, Uint8Array>, { what }: Damage): void {
    const after = imageOf(this.run.one.machine.disk);
    if (!isDeepStrictEqual(after, before)) throw new Error(`refused, and changed files: ${what}`);
  }

  #isEarlier(): boolean {
    const { found, ledger } = this.run.one;
    if (found === undefined || found.revision > ledger.model.revision) return false;
    const expected = ledger.model.stateAt(found.revision).map(textOfVersion);
    return isDeepStrictEqual(found.kvs, expected);
  }
}
