// One seed of the tests of a whole store: lives of one member, each of them harmed and cut short.
import type { CrashKind } from '../../src/testing/sim-machine.js';
import { isOfDisk, SingleStore } from './single-store.js';

export class StoreRun {
  readonly one: SingleStore;
  readonly total = { crashes: 0, refusedOpens: 0, stops: 0, installs: 0, expiries: 0 };

  constructor(seed: number) {
    this.one = new SingleStore(seed);
  }

  async play(): Promise<void> {
    const { one } = this;
    await one.open();
    await this.lives(3 + one.int(5));
    // Nothing that was armed is left.
    this.crash('power');
    await one.finish();
  }

  /** So many lives of a store that is open; it is open again then. */
  async lives(count: number): Promise<void> {
    for (let life = 0; life < count; life += 1) {
      await this.live();
      if (this.one.int(3) === 0) await this.install();
      if (this.one.int(4) === 0) await this.#diesAtOpen();
      await this.#reopen();
    }
  }

  /** A life, to its end. */
  async live(): Promise<void> {
    const { one } = this;
    await this.#settleShort();
    const steps = one.int(14);
    for (let step = 0; step < steps; step += 1) {
      if (one.store === undefined || one.isStopped) break;
      await this.#step();
      one.checkAnswers();
    }
    if (one.store === undefined) return;
    if (one.isStopped) this.total.stops += 1;
    if (one.int(4) === 0) return one.close();
    // Anywhere in what is under way.
    if (one.int(2) === 0) await one.events(one.int(40));
    this.crash();
  }

  async #step(): Promise<void> {
    const { one } = this;
    const { store } = one;
    if (store === undefined) return;
    const dice = one.int(24);
    if (dice < 12) for (let n = 1 + one.int(4); n > 0; n -= 1) one.commands.issue(store);
    // More than the log keeps: what is durable elsewhere decides how much of it may go.
    else if (dice === 12) for (let n = 25; n > 0; n -= 1) one.commands.issue(store);
    else if (dice < 17) await one.events(one.int(30));
    // Time for the log to be truncated.
    else if (dice < 19) await one.sim.run(one.pick([60, 1_000 + one.int(200)]));
    else if (dice === 19) await this.#checkHash();
    else if (dice === 20) await this.#expire();
    else this.#harm();
  }

  #harm(): void {
    const { disk, engineDisk } = this.one.machine;
    const { one } = this;
    const segments = disk.names.children(`${one.dir}/wal`).filter((name) => name.endsWith('.wal'));
    const newest = `${one.dir}/wal/${segments.at(-1)}`;
    switch (one.int(6)) {
      case 0:
        return disk.failSync(newest, { data: one.pick(['lost', 'kept']) });
      case 1:
        return disk.failSync(newest, { reports: 'NO_SPACE' });
      case 2:
        return disk.failDirectorySync(`${one.dir}/wal`);
      case 3: {
        const code = one.pick(['STORAGE_IO', 'NO_SPACE'] as const);
        return engineDisk.failWrite(one.statePath, { code, kept: one.int(2) === 0 });
      }
      case 4:
        disk.partialWrites = one.int(2) === 0;
        disk.byteBudget = disk.usedBytes + one.int(9_000);
        return;
      default:
        disk.byteBudget = Number.POSITIVE_INFINITY;
    }
  }

  /** What waits for space is on the disk only once there is some. */
  #checkHash(): Promise<void> {
    this.#heal();
    return this.one.checkHash();
  }

  /** A lease that nobody keeps alive goes, and its key with it. */
  async #expire(): Promise<void> {
    const { one } = this;
    await this.#checkHash();
    if (one.store === undefined || one.isStopped) return;
    one.commands.grantShort(one.store);
    await this.#checkHash();
    if (one.int(3) > 0) await this.#settleShort();
    else this.crash();
  }

  /** Nothing else may be under way while a lease expires: only then is its place in the log known. */
  async #settleShort(): Promise<void> {
    const { one } = this;
    const { store } = one;
    const { short } = one.commands;
    if (store === undefined || short === undefined || one.isStopped) return;
    // A full disk takes no expiry either.
    this.#heal();
    const issued = one.commands.expire(short);
    const { appliedIndex } = store.status();
    if (one.int(6) === 0) {
      await one.events(one.int(60));
      issued.isUnknown = true;
      return this.crash();
    }
    await one.sim.runUntil(
      () => store.status().appliedIndex > appliedIndex || one.isStopped,
      20_000,
    );
    if (one.isStopped) issued.isUnknown = true;
    else one.ledger.answered(issued, {});
    this.total.expiries += 1;
  }

  /** Takes a snapshot of itself, as far as it gets. */
  async install(): Promise<void> {
    const { one } = this;
    this.#heal();
    // It takes about a hundred events.
    await one.beginToInstall(one.int(4) === 0 ? 1_000 : one.int(120));
    this.total.installs += 1;
    this.crash();
  }

  async #diesAtOpen(): Promise<void> {
    // It takes about forty events.
    await this.one.beginToOpen(this.one.int(60));
    this.crash();
  }

  /** Now and then on a disk that does not let it. */
  async #reopen(): Promise<void> {
    const { one } = this;
    for (let tries = 1; ; tries += 1) {
      if (one.int(5) === 0) this.#harmOpen();
      try {
        return await one.open();
      } catch (error) {
        // What was armed is used up some time.
        if (!isOfDisk(error) || tries === 20) throw error;
        this.total.refusedOpens += 1;
        this.crash();
      }
    }
  }

  #harmOpen(): void {
    const { one } = this;
    const { disk } = one.machine;
    const kind = one.int(3);
    if (kind === 0) disk.byteBudget = disk.usedBytes + one.int(2_000);
    else if (kind === 1) disk.openFilesMax = 1 + one.int(4);
    else disk.failRead(one.pick(disk.names.files())[0]);
  }

  /** The next life has an honest disk, unless it is harmed again. */
  crash(kind: CrashKind = this.one.int(4) === 0 ? 'process' : 'power'): void {
    this.total.crashes += 1;
    this.one.crash(kind);
    this.#heal();
  }

  #heal(): void {
    const { disk } = this.one.machine;
    disk.byteBudget = Number.POSITIVE_INFINITY;
    disk.openFilesMax = Number.POSITIVE_INFINITY;
  }
}
