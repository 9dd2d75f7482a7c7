// Three members of a store on virtual machines, with a client load whose history is checked.

import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { type StoreConfig, storeConfig } from '../../src/assembly/store-config.js';
import type { Store } from '../../src/store/store.js';
import type { Simulator } from '../../src/testing/simulator.js';

export const names = ['n1', 'n2', 'n3'] as const;
export type Name = (typeof names)[number];

const addresses = { n1: 'n1:1', n2: 'n2:1', n3: 'n3:1' };

/** A cluster of simulated machines; a member that is down has no store. */
export class SimCluster {
  readonly sim: Simulator;
  readonly stores = new Map<Name, Store>();

  constructor(sim: Simulator) {
    this.sim = sim;
  }

  config(name: Name): StoreConfig {
    const dir = `${this.sim.machine(name).dir}/store`;
    const config = storeConfig({ name, dir, cluster: addresses, timeoutMs: 5_000 });
    // What happens once a second in production is met by every fault.
    return { ...config, tuning: { flushIntervalMs: 50 } };
  }

  /** Boots the machine and opens its member. Needs a run in progress to complete. */
  async open(name: Name): Promise<Store> {
    const env = this.sim.machine(name).boot();
    const store = await openStoreOn(env, this.config(name));
    this.stores.set(name, store);
    return store;
  }

  async openAll(): Promise<void> {
    await this.sim.complete(Promise.all(names.map((name) => this.open(name))), 10_000);
  }

  crash(name: Name, kind: 'power' | 'process' = 'power'): void {
    this.stores.delete(name);
    this.sim.machine(name).crash(kind);
  }

  /** The member that leads in the highest term, if any. */
  leader(): Name | undefined {
    let found: { name: Name; term: number } | undefined;
    for (const [name, store] of this.stores) {
      const { role, term } = store.status();
      if (role === 'leader' && (found === undefined || term > found.term)) found = { name, term };
    }
    return found?.name;
  }

  /** Every running member's applied index is the same, and nothing is under way. */
  settled(): boolean {
    const all = [...this.stores.values()].map((store) => store.status());
    const [first] = all;
    return all.every(
      (s) => s.appliedIndex === first?.lastIndex && s.lastIndex === first?.lastIndex,
    );
  }
}
