/**
 * Users of locks and elections, and what they guard: at most one holder at a time, as far as clocks can
 * tell; tokens that only grow; and in the end nobody held up and nothing left behind.
 */
import { isKontikiError } from '../../base/errors.js';
import type { Store } from '../../store/store.js';
import type { Workload, WorkloadContext } from '../run/workload.js';
import { LockLedger } from './lock-ledger.js';
import { LockUser } from './lock-user.js';

/** In which every session must have ended that nobody renews, in virtual microseconds. */
const endUs = 15_000_000;

/** Virtual milliseconds that reading a store may take. */
const patienceMs = 20_000;

/** @since 0.1.0 */
export class LockWorkload implements Workload<Store> {
  readonly #users: LockUser[] = [];
  #ledger: LockLedger | undefined;
  #context: WorkloadContext<Store> | undefined;
  /** Who owes a grant, and how many there were before. */
  #asked: readonly string[] = [];
  #heldBefore = 0;
  /** Until then sessions may end that nobody waits for. */
  #quietUs = 0;

  get pending(): number {
    const isQuiet = (this.#context?.nowUs ?? 0) >= this.#quietUs;
    return this.#users.filter(({ isBusy }) => isBusy).length + (isQuiet ? 0 : 1);
  }

  observe(context: WorkloadContext<Store>): void {
    this.#context = context;
    this.#ledger = new LockLedger((id, message) => context.violated(id, message));
  }

  start(context: WorkloadContext<Store>): void {
    this.#begin(context);
  }

  ask(context: WorkloadContext<Store>, members: readonly string[]): void {
    this.#asked = members;
    this.#heldBefore = this.#ledger?.held ?? 0;
    this.#begin(context);
  }

  /** Whom users ask is left to chance, and they wait for each other: a grant is one of the whole group. */
  get unserved(): readonly string[] {
    return (this.#ledger?.held ?? 0) > this.#heldBefore ? [] : this.#asked;
  }

  stop(): void {
    this.#quietUs = (this.#context?.nowUs ?? 0) + endUs;
    for (const user of this.#users) user.stop();
  }

  #begin(context: WorkloadContext<Store>): void {
    const ledger = this.#ledger as LockLedger;
    for (let left = context.scenario.clients + 1; left > 0; left -= 1) {
      const user = new LockUser(context, this.#users.length, ledger);
      this.#users.push(user);
      void user.run();
    }
  }

  /** K3: neither a key nor a lease is left of anybody. */
  async finish({ cluster, violated }: WorkloadContext<Store>): Promise<void> {
    const checks = cluster.running.map(async (name) => {
      const store = cluster.service(name);
      const { kvs } = await store.range({ prefix: '' });
      const leases = await store.leases();
      if (kvs.length + leases.length === 0) return;
      const keys = kvs.map((kv) => kv.keyText()).join(', ');
      violated('K3', `${name} still has ${leases.length} leases and the keys ${keys}`);
    });
    await cluster.sim.complete(Promise.all(checks), patienceMs).catch((error: unknown) => {
      if (!isKontikiError(error, 'TIMEOUT')) throw error;
      violated('X5', `a member did not answer in ${patienceMs} ms`);
    });
  }

  summary(): Readonly<Record<string, number>> {
    return { locks: this.#ledger?.held ?? 0, 'locks.used': this.#ledger?.uses ?? 0 };
  }
}
