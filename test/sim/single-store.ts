// One member of its own on a virtual machine, life after life, with everything that it must hold in a
// ledger.
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { type StoreConfig, storeConfig } from '../../src/assembly/store-config.js';
import { isKontikiError } from '../../src/base/errors.js';
import { type Random, randomInt } from '../../src/base/prng.js';
import { metaKey } from '../../src/mvcc/record-keys.js';
import { hashOfMeta } from '../../src/mvcc/state-hash.js';
import type { Env } from '../../src/node/index.js';
import { MemoryEngine } from '../../src/storage/index.js';
import type { Store } from '../../src/store/store.js';
import {
  assertingObserver,
  type CrashKind,
  type SimMachine,
} from '../../src/testing/sim-machine.js';
import { SimRandom } from '../../src/testing/sim-random.js';
import { Simulator } from '../../src/testing/simulator.js';
import { DrivenKeyspace } from '../mvcc/driven-keyspace.js';
import { installOwnSnapshot } from './own-snapshot.js';
import { StoreCommands } from './store-commands.js';
import { contentOf, pairsAt, type StoreContent, textOfVersion } from './store-content.js';
import { Ledger } from './store-ledger.js';

export class SingleStore {
  readonly sim: Simulator;
  readonly machine: SimMachine;
  readonly ledger = new Ledger();
  readonly commands: StoreCommands;
  readonly config: StoreConfig;
  readonly #random: Random;
  /** The present life, while it has one. */
  store: Store | undefined;
  /** Last entry that was applied when the state was last compared. */
  #appliedIndex = 0;
  /** What was found at the last open. */
  found: StoreContent | undefined;
  /** Lives that may have left a leader's entry in the log, since the ledger was last compared. */
  #elections = 0;

  constructor(seed: number) {
    this.sim = new Simulator({ seed, traceLines: 30 });
    this.machine = this.sim.machine('n1');
    this.#random = new SimRandom({ seed, stream: 'single-store', entity: [] });
    this.commands = new StoreCommands(this.ledger, this.#random);
    const retention = { entriesMin: 3, bytesMin: 1_024, bytesMax: 8_192 };
    const segmentBytes = this.pick([2_048, 4_096, 16_384]);
    const config = storeConfig({ dir: this.dir, electionTicks: 3 });
    this.config = { ...config, tuning: { segmentBytes, retention, flushIntervalMs: 50 } };
  }

  get dir(): string {
    return `${this.machine.dir}/store`;
  }

  /** Path of the folder that holds the state now. */
  get statePath(): string {
    const names = this.machine.disk.names.children(this.dir);
    const found = names.filter((name) => /^state(-[0-9a-f]+)?$/.test(name));
    return `${this.dir}/${found.at(-1) ?? 'state'}`;
  }

  int(below: number): number {
    return randomInt(this.#random, below);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(values.length)] as T;
  }

  complete<T>(promise: Promise<T>): Promise<T> {
    return this.sim.complete(promise, 60_000);
  }

  /** A process that tells the ledger what it is about to write, until it ends. */
  #boot(): Env {
    const { ledger, machine } = this;
    const env = machine.boot();
    const { boots } = machine;
    const writing: typeof assertingObserver.writing = ({ entries }) => {
      if (machine.running && machine.boots === boots) ledger.log.wrote(entries);
    };
    return { ...env, observer: { ...assertingObserver, writing } };
  }

  /** Lets so many things happen, fewer if there are not so many. */
  async events(count: number): Promise<void> {
    let left = count;
    const { scheduler } = this.sim;
    await scheduler.runTo(scheduler.nowUs + 1_000_000, () => {
      left -= 1;
      return left < 0;
    });
  }

  /** Begins a life that ends before anybody could ask it anything. */
  async beginToOpen(events: number): Promise<void> {
    this.#elections += 1;
    openStoreOn(this.#boot(), this.config).catch(() => undefined);
    await this.events(events);
  }

  /** The same for an install of a snapshot of the own state, which comes to its end now and then. */
  async beginToInstall(events: number): Promise<void> {
    let failure: unknown;
    installOwnSnapshot(this.machine.boot(), this.config).catch((error: unknown) => {
      failure = error;
    });
    await this.events(events);
    if (failure !== undefined && !isOfDisk(failure)) throw failure;
  }

  /** Opens, and checks all that is there. */
  async open(): Promise<void> {
    this.#elections += 1;
    const store = await this.complete(openStoreOn(this.#boot(), this.config));
    await this.#compare(store);
    this.store = store;
    this.commands.forgetLeases();
    const { compactRevision, revision } = this.ledger.model;
    const at = Math.max(1, compactRevision, revision - this.int(10));
    const pairs = await this.complete(pairsAt(store, at));
    const expected = this.ledger.model.stateAt(at).map(textOfVersion);
    if (pairs.join() !== expected.join()) throw new Error(`other pairs at revision ${at}`);
  }

  async #compare(store: Store): Promise<void> {
    const content = await this.complete(contentOf(store));
    this.found = content;
    const { appliedIndex, lastIndex, term } = store.status();
    if (appliedIndex !== lastIndex) throw new Error(`${lastIndex - appliedIndex} not applied`);
    this.ledger.recovered(content, { term, index: lastIndex }, this.#elections - 1);
    this.#elections = 0;
  }

  /** Waits until all is on the disk, whose state then must be that of an undisturbed keyspace. */
  async checkHash(): Promise<void> {
    const { ledger, store } = this;
    if (store === undefined) return;
    const isStill = () => {
      const { appliedIndex, durableIndex, failure, pendingWrites } = store.status();
      return (pendingWrites === 0 && appliedIndex === durableIndex) || failure !== undefined;
    };
    await this.sim.runUntil(isStill, 60_000);
    this.checkAnswers();
    const { appliedIndex, failure } = store.status();
    if (!ledger.isQuiet || failure !== undefined) return;
    this.#appliedIndex = appliedIndex;
    await this.#checkStored();
  }

  async #checkStored(): Promise<void> {
    const expected = await this.ledger.stateHash(this.#appliedIndex);
    const meta = this.machine.engineDisk.view(this.statePath).get(metaKey);
    if (meta === undefined ? this.ledger.model.revision === 1 : hashOfMeta(meta) === expected)
      return;
    throw new Error(`the state on disk differs from that of an undisturbed keyspace`);
  }

  /** Opens once more; every record must be what its digest in the state hash says. */
  async finish(): Promise<void> {
    await this.open();
    await this.checkHash();
    await this.close();
    await this.#checkStored();
    const pairs = this.machine.engineDisk.view(this.statePath).pairs();
    const engine = new MemoryEngine();
    await engine.write(pairs, { sync: true });
    const once = { open: async () => engine, reopen: async () => engine };
    const stored = await DrivenKeyspace.open(once);
    await stored.scrub();
  }

  checkAnswers(): void {
    if (this.commands.violation !== undefined) throw this.commands.violation;
    this.ledger.settle();
  }

  /** Ends the life in order, as far as its disk lets it. */
  async close(): Promise<void> {
    if (this.store === undefined) return;
    await this.complete(this.store.close());
    this.store = undefined;
    this.checkAnswers();
    this.machine.crash('process');
  }

  crash(kind: CrashKind): void {
    this.store = undefined;
    // The power may fail when nothing runs, too.
    if (!this.machine.running) this.machine.boot();
    this.machine.crash(kind);
    this.checkAnswers();
  }

  /** Whether the member has stopped by itself; only a failing disk may be why. */
  get isStopped(): boolean {
    const { failure } = this.store?.status() ?? {};
    if (failure === undefined) return false;
    if (isOfDisk(failure)) return true;
    throw failure;
  }
}

/** Whether a disk that fails, or is full, is why: what none of these tests may call damage. */
export function isOfDisk(error: unknown): boolean {
  return isKontikiError(error, 'STORAGE_IO') || isKontikiError(error, 'NO_SPACE');
}
