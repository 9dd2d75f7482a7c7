/**
 * Takes backups of a store under load, and in the end restores each on a machine of its own: what that
 * one holds has to be what the log made of it up to one entry, and everything acknowledged before.
 */
import { configIn } from '../../assembly/data-directory.js';
import { openStoreOn } from '../../assembly/open-store-on.js';
import { restoreStoreOn } from '../../assembly/restore-store-on.js';
import { storeConfig } from '../../assembly/store-config.js';
import type { Backup } from '../../backup/backup.js';
import { isKontikiError } from '../../base/errors.js';
import { type Random, randomInt } from '../../base/prng.js';
import type { Store } from '../../store/store.js';
import type { KeyspaceState } from '../checkers/keyspace-state.js';
import type { WorkloadContext } from '../run/workload.js';
import { checkContents } from './rest-check.js';

/** A backup that came to its end. */
interface Taken {
  readonly chunks: readonly Uint8Array[];
  readonly revision: number;
  readonly appliedIndex: number;
  /** A client had been told of this revision before it was asked for. */
  readonly floor: number;
}

/** How often one that waits looks whether its member lives, in virtual milliseconds. */
const lookMs = 400;

/** Virtual milliseconds that a restore and the reads after it may take. */
const patienceMs = 30_000;

/** The last ones are restored: a restore takes as long as many calls. */
const restoredMax = 2;

/** @since 0.1.0 */
export class BackupTaker {
  readonly #context: WorkloadContext<Store>;
  readonly #random: Random;
  readonly #acknowledged: () => number;
  readonly #taken: Taken[] = [];
  readonly #figures: Record<string, number> = {};
  #isBusy = false;
  #stopped = false;

  /**
   * @param context - of the run
   * @param acknowledged - the newest revision that a client was told of
   */
  constructor(context: WorkloadContext<Store>, acknowledged: () => number) {
    this.#context = context;
    this.#random = context.random('backups');
    this.#acknowledged = acknowledged;
  }

  /** Backups that are being taken. */
  get pending(): number {
    return this.#isBusy ? 1 : 0;
  }

  /** How many came to their end, and why others did not. */
  get figures(): Readonly<Record<string, number>> {
    return this.#figures;
  }

  /** Takes one after the other until it is stopped. @param everyMs - average pause */
  async run(everyMs: number): Promise<void> {
    const { cluster, sleep } = this.#context;
    while (!this.#stopped) {
      await sleep(1 + randomInt(this.#random, 2 * everyMs));
      const { running } = cluster;
      const name = running[randomInt(this.#random, Math.max(1, running.length))];
      if (name !== undefined && !this.#stopped) await this.#take(cluster.service(name));
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /**
   * Restores the last ones.
   *
   * @param stateAt - of the log: behind all entries up to an index
   */
  async check(stateAt: (index: number) => KeyspaceState): Promise<void> {
    const { cluster, violated } = this.#context;
    for (const [at, taken] of this.#taken.slice(-restoredMax).entries()) {
      const { appliedIndex, floor, revision } = taken;
      const state = stateAt(appliedIndex);
      const what = `a backup of entry ${appliedIndex}`;
      if (revision < floor)
        violated('B1', `${what} has revision ${revision}, ${floor} was told of`);
      if (revision !== state.revision) {
        violated('B2', `${what} is of revision ${revision}, by the log it is ${state.revision}`);
        return;
      }
      const restored = this.#restore(`restored${at + 1}`, taken, state);
      await cluster.sim.complete(restored, patienceMs).catch((error: unknown) => {
        violated('B2', `${what} cannot be restored: ${error}`);
      });
    }
  }

  async #take(store: Store): Promise<void> {
    const floor = this.#acknowledged();
    const backup = store.backup({ timeoutMs: 3_000 });
    this.#isBusy = true;
    const chunks = await this.#chunksOf(backup, store);
    this.#isBusy = false;
    if (chunks === undefined || backup.info === undefined) return;
    const { appliedIndex, revision } = backup.info;
    this.#count('backups');
    this.#taken.push({ chunks, revision, appliedIndex, floor });
  }

  /** `undefined` when it failed, or its member died: then it never settles. */
  async #chunksOf(backup: Backup, store: Store): Promise<readonly Uint8Array[] | undefined> {
    const { cluster, sleep } = this.#context;
    const chunks: Uint8Array[] = [];
    const done = collect(backup, chunks).then(
      () => 'done' as const,
      (error: unknown) => {
        if (!isKontikiError(error)) throw error;
        this.#count(`backups.${error.code}`);
        return 'failed' as const;
      },
    );
    for (;;) {
      const settled = await Promise.race([done, sleep(lookMs)]);
      if (settled !== undefined) return settled === 'done' ? chunks : undefined;
      if (!cluster.running.some((name) => cluster.find(name) === store)) return undefined;
    }
  }

  async #restore(name: string, taken: Taken, state: KeyspaceState): Promise<void> {
    const { appliedIndex, chunks } = taken;
    const { cluster, violated } = this.#context;
    const machine = cluster.sim.machine(name);
    machine.observer = {
      ...machine.observer,
      // Generations of leases are indexes: one that came again could be taken for another (DESIGN §4.14).
      opened: ({ log }) => {
        const before = log.firstIndex() - 1;
        if (before !== Math.max(1, appliedIndex)) {
          violated('B2', `a backup of entry ${appliedIndex} begins its log behind ${before}`);
        }
      },
    };
    const env = machine.boot();
    const from = `${machine.dir}/store.backup`;
    const file = await env.fs.open(from, 'create');
    await file.write(0, chunks);
    await file.close();
    const config = storeConfig({ name, dir: `${machine.dir}/member` });
    await restoreStoreOn(env, config, { from });
    const store = await openStoreOn(env, await configIn(env.fs, config));
    await checkContents({ name, store, violated }, state);
    this.#count('backups.restored');
    machine.crash('process');
  }

  #count(figure: string): void {
    this.#figures[figure] = (this.#figures[figure] ?? 0) + 1;
  }
}

async function collect(backup: Backup, chunks: Uint8Array[]): Promise<void> {
  for await (const chunk of backup) chunks.push(chunk);
}
