// Members on virtual machines, and users of their locks.
import type { Timers } from '../../src/base/clock.js';
import { openSession, type Session } from '../../src/concurrency/index.js';
import type { Store } from '../../src/store/store.js';
import type { SimCluster } from '../../src/testing/cluster/sim-cluster.js';
import { storeCluster } from '../../src/testing/cluster/store-cluster.js';

export class LockWorld {
  readonly cluster: SimCluster<Store>;

  private constructor(cluster: SimCluster<Store>) {
    this.cluster = cluster;
  }

  /** Members that run and agree on a leader. */
  static async started(seed: number, members = 3): Promise<LockWorld> {
    const world = new LockWorld(storeCluster({ seed, members, store: { timeoutMs: 3_000 } }));
    await world.cluster.startAll();
    await world.until(() => world.cluster.leader() !== undefined);
    return world;
  }

  /** Of the simulation, not of a machine: what waits on them goes on while a machine is paused. */
  get timers(): Timers {
    const { scheduler } = this.cluster.sim;
    return {
      after: (ms, callback) => scheduler.after(Math.ceil(ms * 1_000), callback),
      soon: (callback) => scheduler.after(1, callback),
    };
  }

  get nowMs(): number {
    return this.cluster.sim.nowMs;
  }

  /** A member that does not lead. */
  get follower(): string {
    const leader = this.cluster.leader();
    return this.cluster.running.find((name) => name !== leader) as string;
  }

  store(name = 'n1'): Store {
    return this.cluster.service(name);
  }

  run(ms: number): Promise<void> {
    return this.cluster.sim.run(ms);
  }

  until(condition: () => boolean, maxMs = 30_000): Promise<void> {
    return this.cluster.sim.runUntil(condition, maxMs);
  }

  done<T>(promise: Promise<T>, maxMs = 30_000): Promise<T> {
    return this.cluster.sim.complete(promise, maxMs);
  }

  session(name = 'n1', ttlSeconds = 5): Promise<Session> {
    return this.done(openSession(this.store(name), { ttlSeconds, timers: this.timers }));
  }

  /** Keys with a prefix, in the order in which they were created, as any member has them. */
  async line(prefix = ''): Promise<string[]> {
    const name = this.cluster.running[0];
    const { kvs } = await this.done(this.store(name).range({ prefix, sortBy: 'createRevision' }));
    return kvs.map((kv) => kv.keyText());
  }

  /** Whether a promise has settled by now. */
  watched<T>(promise: Promise<T>): { state: 'open' | 'ok' | 'failed'; value?: T; error?: unknown } {
    const seen: { state: 'open' | 'ok' | 'failed'; value?: T; error?: unknown } = { state: 'open' };
    promise.then(
      (value) => Object.assign(seen, { state: 'ok', value }),
      (error: unknown) => Object.assign(seen, { state: 'failed', error }),
    );
    return seen;
  }
}
